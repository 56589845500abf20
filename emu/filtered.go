// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
	"cloneat-emu/emu/transplant"
	"cloneat-emu/ptrace"
)

// judged says EOPNOTSUPP for a thread whose own seccomp filters would judge the calls that
// it is made to make: they cannot be suspended for an unprivileged supervisor, nobody can
// read them, and they may kill.
func (c *call) judged(who string, st *proc.Status) error {
	if c.s.noSuspend.Load() && st.SeccompFilters > ptrace.CommonFilters() {
		return &transplant.Unsupported{Cause: "the " + who + " has seccomp filters, and to suspend them wants CAP_SYS_ADMIN, and no filter around the supervisor"}
	}
	return nil
}

// callerJudged is judged for the caller, which is stopped: whether filters can be suspended
// is known by that.
func (c *call) callerJudged() error { return c.judged("caller", c.check.Caller.Status) }

// targetJudged is judged for the target thread.
func (c *call) targetJudged() error {
	st, err := c.targetStatus()
	if err != nil {
		return err
	}
	return c.judged("target", st)
}

// targetStatus is the target thread's status, ErrAgain where it has none: another of its
// threads executes and takes the number over, or it has ended.
func (c *call) targetStatus() (*proc.Status, error) {
	st, err := c.check.Target.Thread.Status()
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return nil, ptrace.ErrAgain
	}
	return st, err
}
