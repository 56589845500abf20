// SPDX-License-Identifier: Apache-2.0

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

// deadlineOf is the thread's scheduling, if it has a deadline that keeps it from forking;
// else nil.
func deadlineOf(tid int) (*unix.SchedAttr, error) {
	attr, err := schedulingOf(tid)
	if err != nil || attr.Policy != unix.SCHED_DEADLINE || attr.Flags&unix.SCHED_FLAG_RESET_ON_FORK != 0 {
		return nil, err
	}
	return attr, nil
}

func schedulingOf(tid int) (*unix.SchedAttr, error) {
	attr, err := unix.SchedGetAttr(tid, 0)
	switch {
	case errors.Is(err, unix.ESRCH):
		return nil, ptrace.ErrGone
	case err != nil:
		return nil, fmt.Errorf("sched_getattr of pid %d: %w", tid, err)
	}
	return attr, nil
}

// resetOnFork lets a target with a deadline fork until restore, which is nil where it may
// anyway. Nothing but the flag changes, so that the kernel does not begin a new period
// (dl_param_changed() in kernel/sched/deadline.c).
func (c *call) resetOnFork(target int) (restore func(), err error) {
	own, err := deadlineOf(target)
	if err != nil || own == nil {
		return nil, ofTarget(err)
	}
	forking := *own
	forking.Flags |= unix.SCHED_FLAG_RESET_ON_FORK
	if err := unix.SchedSetAttr(target, &forking, 0); err != nil {
		return nil, &transplant.Unsupported{Cause: fmt.Sprintf("the target has a deadline and may not fork: sched_setattr: %v", err)}
	}
	return func() { _ = unix.SchedSetAttr(target, own, 0) }, nil
}
