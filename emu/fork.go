// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"errors"

	"golang.org/x/sys/unix"

	"cloneat-emu/ptrace"
)

// forkOwn lets the caller make the clone that its program asked for.
func forkOwn(i *ptrace.Injection, a cloneArgs, setTID []int32) (*ptrace.Stopped, error) {
	return forkBy(i.ForkOwn, i, a, setTID)
}

// forkBy makes a tracee clone. The arguments travel in registers where they can,
// since memory has to be found and written for clone3(2).
func forkBy(clone func(uintptr, ...uintptr) (*ptrace.Stopped, error), i *ptrace.Injection, a cloneArgs, setTID []int32) (*ptrace.Stopped, error) {
	if !a.needsClone3(setTID) {
		return clone(unix.SYS_CLONE, a.registers()...)
	}
	at, err := i.Args(nil)
	if err != nil {
		return nil, err
	}
	if _, err := i.Args(a.encode(at, setTID)); err != nil {
		return nil, err
	}
	return clone(unix.SYS_CLONE3, at, cloneArgsSize)
}

// fork lets a tracee make a child in the making: it dies with the supervisor,
// and stands at a `syscall` that is its own.
func (c *call) fork(i *ptrace.Injection, a cloneArgs, setTID []int32) (*ptrace.Stopped, error) {
	if onStep != nil {
		i.OnForked = func() { c.step("forked") }
	}
	child, err := forkBy(i.Fork, i, a, setTID)
	if err != nil {
		c.unborn(i, a, err)
		return nil, err
	}
	if a.Flags&unix.CLONE_THREAD == 0 {
		child.LeaveExit() // somebody may kill it
	}
	err = c.s.bind(child, a)
	// A thread, which cannot be bound, stays in the code that would end it.
	if err == nil && a.Flags&unix.CLONE_THREAD == 0 {
		err = i.Settle(child, a.Flags&unix.CLONE_VM != 0)
	}
	if err != nil && !ptrace.Gone(err) {
		child.Kill()
		return nil, err
	}
	return child, nil
}

// unborn ends what a clone that failed with err has made all the same. Nobody else knows of it,
// and the init of its pid namespace could not end before it (zap_pid_ns_processes() in
// kernel/pid_namespace.c).
func (c *call) unborn(i *ptrace.Injection, a cloneArgs, err error) {
	var dead *ptrace.Stillborn
	switch thread := a.Flags&unix.CLONE_THREAD != 0; {
	case errors.As(err, &dead) && thread:
		dead.Child.Reap() // as nobody does for a thread
	case errors.As(err, &dead):
		c.endStillborn(i, dead, unix.Signal(a.ExitSignal))
	case ptrace.Gone(err) && !thread:
		c.endUnheard(i.TID)
	}
}

// endStillborn has a child that died before its first stop reaped, by its parent or whoever it is
// left to, without their notice.
func (c *call) endStillborn(i *ptrace.Injection, dead *ptrace.Stillborn, sig unix.Signal) {
	reaped := false
	if dead.ID != 0 {
		defer c.patientWith(i)()
		_ = c.quietly(i, dead.Child.TID, sig, func() error {
			reaped = i.ReapChild(dead.Child, dead.ID)
			return nil
		})
	}
	if !reaped {
		c.orphan(dead.Child)
	}
}

// bind makes the child die with the supervisor, unless it is a thread, with
// which its process would die.
func (s *Server) bind(child *ptrace.Stopped, a cloneArgs) error {
	if a.Flags&unix.CLONE_THREAD != 0 {
		return nil
	}
	return child.SetOptions(s.makingOptions())
}

// making are the options of a child in the making: it dies with the supervisor.
const making = ptrace.ForkOptions | unix.PTRACE_O_EXITKILL

func (s *Server) makingOptions() int {
	if s.noSuspend.Load() {
		return making
	}
	return making | ptrace.SuspendSeccomp
}

// hold opens a scope in a child in the making, which is never let go by
// accident.
func hold(child *ptrace.Stopped) (*ptrace.Injection, error) {
	i, err := child.Begin()
	if err != nil {
		return nil, err
	}
	i.Hold = true
	return i, nil
}
