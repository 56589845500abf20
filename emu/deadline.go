package emu

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/transplant"
	"cloneat-emu/ptrace"
)

// A thread with a deadline cannot fork: EAGAIN, but with SCHED_FLAG_RESET_ON_FORK, by which
// its child has none (sched_fork() in kernel/sched/core.c). That is for the caller to meet
// and not for a target, which does not fork.

// hasDeadline reports whether the thread has one that keeps it from forking.
func hasDeadline(tid int) (bool, error) {
	attr, err := unix.SchedGetAttr(tid, 0)
	if errors.Is(err, unix.ESRCH) {
		return false, ptrace.ErrGone
	}
	if err != nil {
		return false, fmt.Errorf("sched_getattr of pid %d: %w", tid, err)
	}
	return attr.Policy == unix.SCHED_DEADLINE && attr.Flags&unix.SCHED_FLAG_RESET_ON_FORK == 0, nil
}

// resetOnFork lets a target with a deadline fork until restore, which is nil where it may
// anyway. Nothing but the flag changes, so that the kernel does not begin a new period
// (dl_param_changed() in kernel/sched/deadline.c).
func (c *call) resetOnFork(target int) (restore func(), err error) {
	switch dl, err := hasDeadline(target); {
	case err != nil:
		return nil, ofTarget(err)
	case !dl:
		return nil, nil
	}
	attr, err := unix.SchedGetAttr(target, 0)
	if err != nil {
		return nil, err
	}
	own := *attr
	attr.Flags |= unix.SCHED_FLAG_RESET_ON_FORK
	if err := unix.SchedSetAttr(target, attr, 0); err != nil {
		return nil, &transplant.Unsupported{Cause: fmt.Sprintf("the target has a deadline and may not fork: sched_setattr: %v", err)}
	}
	return func() { _ = unix.SchedSetAttr(target, &own, 0) }, nil
}
