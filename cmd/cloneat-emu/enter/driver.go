// SPDX-License-Identifier: Apache-2.0

package enter

import (
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"

	"cloneat-emu/cmd/cloneat-emu/stage"
	"cloneat-emu/emu/proc"
)

// Init turns this process into a driver if it was started as one by [Call], and
// then does not return. A program that uses Call has to call it first of all.
func Init() {
	if len(os.Args) != 1 || os.Args[0] != driverName {
		return
	}
	// The keys of the terminal are meant for the command; all else reaches the
	// stage, which has the number that people know. In the background we stop with it,
	// before we read from the terminal or change its mode.
	signal.Ignore(unix.SIGINT, unix.SIGQUIT, unix.SIGTSTP)
	var o driverOrder
	orders := os.NewFile(5, "orders")
	err := gob.NewDecoder(orders).Decode(&o)
	orders.Close()
	if err != nil {
		fmt.Fprintln(os.Stderr, "cloneat-emu: exec: driver:", err)
		os.Exit(StatusFailed)
	}
	o.drive()
	os.Exit(0)
}

// drive gives the orders, the last of which is to exit with a status.
func (o *driverOrder) drive() {
	m, err := stage.Attach(os.NewFile(3, "memory"))
	if err == nil {
		err = m.Own()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "cloneat-emu: exec: driver:", err)
		_ = unix.Kill(os.Getppid(), unix.SIGKILL) // nobody would give it orders
		return
	}
	caller := m.Main()
	if fd, err := unix.PidfdOpen(os.Getppid(), 0); err == nil {
		caller.Gone = func() bool { return stage.Exited(fd) }
	}
	if caller.AwaitBirth() != nil {
		return // it could not become the stage, and has said why
	}
	status, err := o.serve(caller)
	var e *ExecError
	if errors.As(err, &e) {
		status = e.Status()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "cloneat-emu: exec:", err)
	}
	caller.Start(nil, unix.SYS_EXIT_GROUP, uintptr(status))
}

// serve lets the stage make the call, and the child become the command.
func (o *driverOrder) serve(caller *stage.Task) (int, error) {
	t, err := Open(o.Target)
	if err != nil {
		return StatusFailed, err
	}
	defer func() { _ = t.Close() }()
	r := &run{
		o: &o.Options, t: t, env: o.Env, pipe: os.NewFile(4, "pipe"),
		table: &descriptors{keep: o.Keep, third: o.Third},
		fd:    numbers{pidfd: o.FD[0], root: o.FD[1], cwd: o.FD[2], running: o.FD[3]},
	}
	if r.rights, err = newRights(r.o, t); err != nil {
		return StatusFailed, err
	}
	if o.Options.TTY {
		r.tty = openTerminal(os.NewFile(6, "master"), os.NewFile(7, "slave"))
	}
	b, err := r.callFrom(caller)
	if err != nil {
		return StatusFailed, err
	}
	defer b.close()
	return r.finish(b, 0)
}

// relayed are the signals that the stage waits for, for [run.pass]; SIGUSR2 is
// also how it is woken at the end.
var relayed = []unix.Signal{unix.SIGTERM, unix.SIGHUP, unix.SIGUSR1, unix.SIGUSR2, unix.SIGINT, unix.SIGQUIT}

// callFrom makes the call in the stage, with signals blocked, and gives the
// child the mask back on its way.
func (r *run) callFrom(caller *stage.Task) (*born, error) {
	s := &steps{task: caller}
	if os.Geteuid() == 0 {
		// Without privilege an emulator could not attach to the caller then.
		s.undumpable()
	}
	set := s.bytes(signalSet(relayed))
	r.mask = s.bytes(make([]byte, 8))
	s.call("rt_sigprocmask", unix.SYS_RT_SIGPROCMASK, unix.SIG_BLOCK, set, r.mask, 8)
	args := callArgs(s)
	if s.err != nil {
		return nil, s.err
	}
	child := caller.Machine().NewTask()
	caller.Start(child, sysCloneat, uintptr(r.t.PID), uintptr(r.o.Hint), args)
	pid, err := caller.Finish()
	if err != nil {
		return nil, r.callError(err)
	}
	// The child waits for its first order, so the number is still its own.
	b, err := openBornPID(child, int(pid))
	if err != nil {
		child.Start(nil, unix.SYS_EXIT_GROUP, StatusFailed)
		return nil, err
	}
	s = &steps{task: child}
	s.undumpable()
	(&steps{task: caller}).call("close", unix.SYS_CLOSE, uintptr(r.fd.running))
	var second [16]byte // struct timespec; so that it looks for us now and then
	binary.NativeEndian.PutUint64(second[:], 1)
	bound := s.bytes(second[:])
	r.heed = func() relay { // they are blocked there
		return func(pass func(unix.Signal)) func() { return relayFrom(caller, set, bound, pass) }
	}
	return b, s.err
}

// openBornPID opens a process by its number, and waits for it.
func openBornPID(task *stage.Task, pid int) (*born, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil, fmt.Errorf("pidfd_open pid %d: %w", pid, err)
	}
	dir, err := proc.Open(pid)
	if err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	task.Gone = func() bool { return stage.Exited(fd) }
	b := &born{task: task, pidfd: os.NewFile(uintptr(fd), "pidfd"), dir: dir}
	if err := task.AwaitBirth(); err != nil {
		b.close()
		return nil, fmt.Errorf("the command's process: %w", err)
	}
	return b, nil
}

// relayFrom passes on the signals that the stage gets: it waits for them by order.
func relayFrom(caller *stage.Task, set, bound uintptr, pass func(unix.Signal)) (stop func()) {
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			sig, err := caller.Call(unix.SYS_RT_SIGTIMEDWAIT, set, 0, bound, 8)
			select {
			case <-ended:
				return
			default:
			}
			if errors.Is(err, stage.ErrGone) {
				return
			}
			if err == nil {
				pass(unix.Signal(sig))
			}
		}
	}()
	return func() {
		close(ended)
		_ = unix.Kill(os.Getppid(), unix.SIGUSR2)
		<-done
	}
}
