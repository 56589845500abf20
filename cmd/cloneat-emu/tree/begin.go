// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"

	"cloneat-emu/cmd/cloneat-emu/stage"
	"cloneat-emu/emu/proc"
)

// begin starts the creator where the tree is to be. The thread stays locked until
// the end, because the kernel kills the creator when the thread that started it
// goes (PR_SET_PDEATHSIG), and that must mean that we go.
func (b *builder) begin() error {
	runtime.LockOSThread()
	var err error
	if b.m, err = stage.New(); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	b.stop = stop
	b.cmd = b.m.Command(ctx)
	// The keys of a terminal are for us: we take the tree down in good order,
	// which takes the creator to be alive.
	b.cmd.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL, Setpgid: true}
	b.cmd.Stdin, b.cmd.Stdout, b.cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	ns, err := b.namespace()
	if err != nil {
		return err
	}
	pipe, held, err := os.Pipe()
	if err != nil {
		return err
	}
	b.pipe = pipe
	defer func() { _ = held.Close() }()
	b.cmd.ExtraFiles = append(b.cmd.ExtraFiles, held)
	if ns != nil {
		b.cmd.ExtraFiles = append(b.cmd.ExtraFiles, ns)
		defer func() { _ = ns.Close() }()
	}
	first := b.m.Main()
	if err := b.cmd.Start(); err != nil {
		return fmt.Errorf("stage: %w", err)
	}
	if err := b.watch(first); err != nil {
		return err
	}
	b.first, b.tasks[Creator], b.host[Creator] = first, first, b.cmd.Process.Pid
	if err := b.probe(); err != nil {
		return err
	}
	return b.place(ns != nil)
}

// namespace opens the pid namespace that In names by a process; nil otherwise.
func (b *builder) namespace() (*os.File, error) {
	if b.o.In == "new" || b.o.In == "here" {
		return nil, nil
	}
	pid, err := strconv.Atoi(b.o.In)
	if err != nil || pid <= 0 {
		return nil, fmt.Errorf("where to build: %q is none of new, here and a pid", b.o.In)
	}
	d, err := proc.Open(pid)
	if err != nil {
		return nil, err
	}
	defer func() { _ = d.Close() }()
	return d.OpenNS(proc.PID)
}

// watch lets a task's orders fail when the first process is gone.
func (b *builder) watch(t *stage.Task) error {
	fd, err := unix.PidfdOpen(b.cmd.Process.Pid, 0)
	if err != nil {
		return fmt.Errorf("stage: pidfd_open: %w", err)
	}
	f := os.NewFile(uintptr(fd), "pidfd")
	t.Gone = func() bool { return stage.Exited(int(f.Fd())) }
	return t.AwaitBirth()
}

// probe finds out whether there is the call: cloneat(0, 0, NULL) is EFAULT.
func (b *builder) probe() error {
	if b.o.Fork {
		return nil
	}
	if _, err := b.tasks[Creator].Call(sysCloneat); err != unix.EFAULT {
		return fmt.Errorf("cloneat, system call %d: %w: run it under cloneat-emu run, or on a kernel that has it", sysCloneat, err)
	}
	return nil
}

// Descriptors of the stage.
const (
	fdMemory = 3 // the memory shared with us
	fdPipe   = 4 // held until exec
	fdNS     = 5 // the pid namespace to build in
)

// place puts the creator where it belongs: into a namespace that is there, or
// into a new one, whose init it is unless the tree's root is.
func (b *builder) place(join bool) error {
	first := b.tasks[Creator]
	if join {
		if err := b.call(Creator, "setns(pid namespace)", unix.SYS_SETNS, fdNS, unix.CLONE_NEWPID); err != nil {
			return err
		}
	}
	if err := b.descriptors(); err != nil {
		return err
	}
	flags := uintptr(unix.SIGCHLD)
	switch {
	case join:
	case b.o.In == "new" && b.tree.Root().PID != 1:
		flags |= unix.CLONE_NEWPID
	default:
		return b.adopter()
	}
	inner := b.m.NewTask()
	inner.Gone = func() bool { return b.dead(Creator) }
	host, err := first.Clone(inner, unix.SYS_CLONE, flags)
	if err != nil {
		return fmt.Errorf("clone of the creator: %w", err)
	}
	b.tasks[Creator], b.host[Creator] = inner, host
	if err := b.call(Creator, "prctl(PR_SET_PDEATHSIG)", unix.SYS_PRCTL, unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL)); err != nil {
		return err
	}
	return b.adopter()
}

// descriptors leaves the members with 0, 1, 2, and the pipe until they exec.
func (b *builder) descriptors() error {
	for _, c := range [][3]uintptr{
		{fdMemory, fdMemory, 0},
		{fdPipe, fdPipe, unix.CLOSE_RANGE_CLOEXEC},
		{fdPipe + 1, 1<<31 - 1, 0},
	} {
		if b.o.Payload == "" {
			c[2] = 0
		}
		if err := b.call(Creator, "close_range", unix.SYS_CLOSE_RANGE, c[0], c[1], c[2]); err != nil {
			return err
		}
	}
	return nil
}

// adopter makes the creator the one who gets orphans, so that it can reap them.
func (b *builder) adopter() error {
	d, err := proc.Open(b.host[Creator])
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	if b.pidns, err = d.NS(proc.PID); err != nil {
		return err
	}
	if b.o.Light && os.Geteuid() == 0 {
		// A core dump ends everybody who shares the memory (zap_threads()), and
		// there is none of what is not dumpable.
		if err := b.call(Creator, "prctl(PR_SET_DUMPABLE)", unix.SYS_PRCTL, unix.PR_SET_DUMPABLE, 0); err != nil {
			return err
		}
	}
	return b.call(Creator, "prctl(PR_SET_CHILD_SUBREAPER)", unix.SYS_PRCTL, unix.PR_SET_CHILD_SUBREAPER, 1)
}
