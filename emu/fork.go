package emu

import (
	"golang.org/x/sys/unix"

	"cloneat-emu/ptrace"
)

// fork makes a tracee clone. The arguments travel in registers where they can,
// since memory has to be found and written for clone3(2).
func fork(i *ptrace.Injection, a cloneArgs, setTID []int32) (*ptrace.Stopped, error) {
	if !a.needsClone3(setTID) {
		return i.Fork(unix.SYS_CLONE, a.registers()...)
	}
	mem, err := i.NewScratch()
	if err != nil {
		return nil, err
	}
	defer mem.Release()
	if err := mem.Write(a.encode(mem.Addr(), setTID)); err != nil {
		return nil, err
	}
	child, err := i.Fork(unix.SYS_CLONE3, mem.Addr(), cloneArgsSize)
	if err != nil {
		return nil, err
	}
	if err := mem.Clear(child); err != nil && !ptrace.Gone(err) {
		child.Kill()
		return nil, err
	}
	return child, nil
}

// making are the options of a child in the making: it dies with the supervisor.
const making = ptrace.ForkOptions | unix.PTRACE_O_EXITKILL

func (s *Server) makingOptions() int {
	if s.noSuspend.Load() {
		return making
	}
	return making | ptrace.SuspendSeccomp
}

// hold opens a scope in a child in the making, which is killed if the
// supervisor dies and never let go by accident.
func (s *Server) hold(child *ptrace.Stopped) (*ptrace.Injection, error) {
	if err := child.SetOptions(s.makingOptions()); err != nil {
		return nil, err
	}
	i, err := child.Begin()
	if err != nil {
		return nil, err
	}
	i.Hold = true
	return i, nil
}
