// SPDX-License-Identifier: Apache-2.0

package enter

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"

	"cloneat-emu/cmd/cloneat-emu/stage"
	"cloneat-emu/cmd/cloneat-emu/whohas"
)

// Admin runs a command in a container that we are no ancestor of, and returns
// its exit status. It takes the rights of nsenter(1): CAP_SYS_ADMIN over the
// namespaces, CAP_SYS_CHROOT, CAP_SYS_PTRACE.
//
// Errors: [ExecError]; EEXIST in the chain if the hint is taken.
func Admin(o *Options, t *Target) (int, error) {
	// The stage is to die with us, and the kernel watches the thread that
	// started it: PR_SET_PDEATHSIG.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	r, err := newRun(o, t)
	if err != nil {
		return StatusFailed, err
	}
	defer r.close()
	m, err := stage.New()
	if err != nil {
		return StatusFailed, err
	}
	defer func() { _ = m.Close() }()
	if err := m.Own(); err != nil {
		return StatusFailed, err
	}
	b, err := r.bear(m)
	if err != nil {
		return StatusFailed, err
	}
	defer b.close()
	flags := t.differ
	if r.joinsUsers() {
		flags |= unix.CLONE_NEWUSER
	}
	return r.finish(b, flags)
}

// bear starts H and lets it bring forth the child of the target's init.
func (r *run) bear(m *stage.Machine) (*born, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if err := r.openHand(); err != nil {
		return nil, err
	}
	cmd := m.Command(ctx)
	cmd.ExtraFiles = append(cmd.ExtraFiles, r.table.extra()...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = r.stdio()
	cmd.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL}
	h, pidfd, err := startStage(m, cmd)
	if err != nil {
		cancel()
		_ = cmd.Wait()
		return nil, err
	}
	defer func() { _ = pidfd.Close() }()
	b, err := r.grandchild(h)
	// H goes in either case, and C1, if there still is one, with it.
	cancel()
	_ = cmd.Wait()
	r.watches = !keepsStatus(pidfd)
	return b, err
}

// startStage starts a stage and returns its task when it serves, and its pidfd.
func startStage(m *stage.Machine, cmd *exec.Cmd) (*stage.Task, *os.File, error) {
	task := m.Main()
	if err := cmd.Start(); err != nil {
		return nil, nil, fmt.Errorf("stage: %w", err)
	}
	fd, err := unix.PidfdOpen(cmd.Process.Pid, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("stage: pidfd_open: %w", err)
	}
	pidfd := os.NewFile(uintptr(fd), "pidfd")
	task.Gone = func() bool { return stage.Exited(fd) }
	if err := task.AwaitBirth(); err != nil {
		_ = pidfd.Close()
		return nil, nil, err
	}
	return task, pidfd, nil
}

// grandchild lets H put C1 into the target's pid namespace, C1 clone C2, and C1
// exit, so that the namespace's init adopts C2.
func (r *run) grandchild(h *stage.Task) (*born, error) {
	s := &steps{task: h}
	s.undumpable()
	s.do(func() error { return r.enterPIDs(h) })
	if s.err != nil {
		return nil, s.err
	}
	c1, host, err := r.father(h)
	if err != nil {
		return nil, err
	}
	b, err := r.child(c1)
	gone := dismiss(h, c1, host)
	if err == nil && gone != nil {
		b.task.Start(nil, unix.SYS_EXIT_GROUP, StatusFailed)
		b.close()
		err = gone
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}

// dismiss ends C1 and lets H reap it, dead as it may be already: left to the host's
// init it would hold up the end of its pid namespace for as long as that pleases.
func dismiss(h, c1 *stage.Task, host int) error {
	c1.Start(nil, unix.SYS_EXIT_GROUP, 0)
	s := &steps{task: h}
	s.call("wait4", unix.SYS_WAIT4, uintptr(host), 0, unix.WALL, 0)
	return s.err
}

// father lets H clone C1, whose end nobody is told of but H. A C1 that got just
// the number that the command is to have has to make room.
func (r *run) father(h *stage.Task) (*stage.Task, int, error) {
	for {
		c1 := h.Machine().NewTask()
		h.Start(c1, unix.SYS_CLONE, unix.CLONE_UNTRACED)
		ret, err := h.Finish()
		if err != nil {
			return nil, 0, fmt.Errorf("clone into the pid namespace of the target: %w", err)
		}
		host := int(ret)
		s := &steps{task: c1}
		s.do(func() error { return awaitBirth(c1, host) })
		s.call("prctl(PR_SET_PDEATHSIG)", unix.SYS_PRCTL, unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL))
		inside := s.call("getpid", unix.SYS_GETPID)
		if s.err != nil {
			_ = dismiss(h, c1, host) // H may be gone as well
			return nil, 0, fmt.Errorf("in the pid namespace of the target: %w", s.err)
		}
		if r.o.Hint == 0 || int(inside) != r.o.Hint {
			return c1, host, nil
		}
		// Reaped only after the next one is born, or that one gets it again.
		defer func() { _ = dismiss(h, c1, host) }()
	}
}

// child lets C1 clone C2, with the exact number if one is asked for.
func (r *run) child(c1 *stage.Task) (*born, error) {
	s := &steps{task: c1}
	var tid uintptr
	if r.o.Hint != 0 {
		tid = s.bytes(binary.NativeEndian.AppendUint32(nil, uint32(r.o.Hint)))
	}
	where := s.bytes(make([]byte, 4))
	args := s.bytes(clone3Args(unix.CLONE_PIDFD|unix.CLONE_UNTRACED, where, unix.SIGCHLD, tid))
	if s.err != nil {
		return nil, s.err
	}
	c2 := c1.Machine().NewTask()
	c1.Start(c2, unix.SYS_CLONE3, args, clone3Size)
	if _, err := c1.Finish(); err != nil {
		return nil, r.cloneError(err)
	}
	number := binary.NativeEndian.Uint32(c1.Machine().View(where, 4))
	b, err := r.takeBorn(c2, c1, int(number))
	if err != nil {
		c2.Start(nil, unix.SYS_EXIT_GROUP, StatusFailed)
	}
	return b, err
}

// awaitBirth waits for a process that was made with a number of ours, and which
// anybody in the container may kill. It is not reaped before its maker is told to,
// so that the number stays its own.
func awaitBirth(task *stage.Task, pid int) error {
	task.Gone = func() bool { return exited(pid) }
	return task.AwaitBirth()
}

// exited reports whether a process is a zombie or was reaped.
func exited(pid int) bool {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return true
	}
	defer func() { _ = unix.Close(fd) }()
	return stage.Exited(fd)
}

// cloneError names who has a number that cannot be had.
func (r *run) cloneError(err error) error {
	if errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("pid %d is taken in the target's pid namespace by %s: %w",
			r.o.Hint, whohas.Describe(r.t.pidns, r.o.Hint), err)
	}
	if errors.Is(err, unix.EINVAL) && r.o.Hint != 0 {
		return fmt.Errorf("pid %d is none that the target's pid namespace could give, see /proc/sys/kernel/pid_max: %w", r.o.Hint, err)
	}
	return fmt.Errorf("clone of the command's process: %w", err)
}
