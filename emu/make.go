// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
	"cloneat-emu/emu/transplant"
	"cloneat-emu/ptrace"
)

// An engine makes the child. Precondition: the caller is stopped, and rows 2
// to 14 let the call pass.
type engine struct {
	name string
	fits func(*call) bool
	make func(*call) (int64, error)
}

// engines are tried in this order: the first that fits makes the child.
var engines = []engine{
	{"self", (*call).toSelf, (*call).makeSelf},
	{"init", (*call).toInit, (*call).makeInit},
	{"shared", (*call).sharesMemory, (*call).makeShared},
	{"transplant", (*call).toOther, (*call).makeTransplant},
}

// make chooses the engine and turns its outcome into a verdict.
func (c *call) make() verdict {
	none := fails(unix.EOPNOTSUPP, "the engine that --engine asks for cannot serve this call")
	crowded := false
	for _, e := range engines {
		if !e.fits(c) || c.forbidden(e.name) {
			continue
		}
		c.event.Engine = e.name
		id, err := e.make(c)
		if err == nil {
			return verdict{value: id}
		}
		c.event.Engine = ""
		c.s.log.WithField("caller", c.n.TID).WithField("engine", e.name).Debug(err)
		none = c.unlessDying(verdictOf(c.ownFault(err)))
		if crowded && none.errno == unix.EOPNOTSUPP && c.full() {
			none = fails(unix.EAGAIN, "")
		}
		if crowded = c.needsLess(e, err); !crowded {
			break
		}
	}
	return none
}

// forbidden reports whether a forced engine leaves this one out.
func (c *call) forbidden(name string) bool {
	want := c.s.cfg.Engine
	return want != "" && want != "auto" && want != name
}

func (c *call) toSelf() bool  { return c.check.Target.Self }
func (c *call) toOther() bool { return !c.check.Target.Self }

// unlessDying lets the call begin anew where a target that cannot be used is about to be
// gone: what looked strange in it may be that, and rows 8 to 10 have the answer.
func (c *call) unlessDying(v verdict) verdict {
	if c.toSelf() || v.errno != unix.EOPNOTSUPP && v.errno != unix.EBUSY {
		return v
	}
	tid := c.check.Target.TID
	if c.targetAlive() != nil || proc.Exiting(tid) || proc.Pending(tid, unix.SIGKILL) {
		return verdict{again: true, cause: v.cause}
	}
	return v
}

// verdictOf turns an engine's error into what the caller is told.
func verdictOf(err error) verdict {
	var errno unix.Errno
	var unsupported *transplant.Unsupported
	switch {
	case errors.As(err, &unsupported):
		return fails(unix.EOPNOTSUPP, unsupported.Cause)
	case errors.Is(err, ptrace.ErrAgain):
		return verdict{again: true, cause: err.Error(), company: companyOf(err)}
	case errors.Is(err, errCallerGone):
		return verdict{drop: true}
	case ptrace.Gone(err):
		return fails(unix.ESRCH, "")
	case errors.Is(err, ptrace.ErrBusy):
		return fails(unix.EBUSY, err.Error())
	case errors.As(err, &errno):
		return fails(errno, "")
	}
	return fails(unix.EOPNOTSUPP, err.Error())
}

// companyOf are the processes that an attempt has met, if err tells of some.
func companyOf(err error) []int {
	var met *transplant.Company
	if errors.As(err, &met) {
		return met.Processes
	}
	return nil
}

// errBadPointer is row 19's EFAULT: the caller's address for a pidfd.
var errBadPointer = fmt.Errorf("the address for the pidfd: %w", unix.EFAULT)

// errPIDFD is in the other errors of row 19.
var errPIDFD = errors.New("a pidfd in the caller")

// ownFault keeps errors of a step of ours from the caller, whose pointers were good,
// and who has files left. What the caller clones by itself is answered by the kernel.
func (c *call) ownFault(err error) error {
	switch {
	case c.toSelf() || errors.Is(err, errPIDFD) || errors.Is(err, errBadPointer) || ptrace.Gone(err):
		return err
	case errors.Is(err, unix.EFAULT):
		return &transplant.Unsupported{Cause: err.Error()}
	case scarce(err):
		return fmt.Errorf("%w: %s", unix.ENOMEM, err.Error())
	case !forCallers(err):
		return &transplant.Unsupported{Cause: err.Error()}
	}
	return err
}

// forCallers reports whether a caller may be told of err: of the errors of rows 15 to 20,
// and those that other threads are the cause of. Others are of files that we read.
func forCallers(err error) bool {
	var errno unix.Errno
	if !errors.As(err, &errno) {
		return true
	}
	switch errno {
	case unix.EAGAIN, unix.ENOMEM, unix.EPERM, unix.EINVAL, unix.ENOSPC, unix.EEXIST,
		unix.EOPNOTSUPP, unix.EBUSY, unix.ESRCH:
		return true
	}
	return false
}

// ofTarget marks an error of a request to the target. The thread may be gone
// while its process lives, by an exec of another thread or because the leader
// exits before the others: the call begins anew, and finds what there is.
func ofTarget(err error) error {
	if err != nil && ptrace.Gone(err) {
		return ptrace.ErrAgain
	}
	return err
}

// errAnew is an ErrAgain for the whole call.
var errAnew = fmt.Errorf("the whole call: %w", ptrace.ErrAgain)

// errCallerGone says that the caller died while it was served.
var errCallerGone = errors.New("the caller is gone")

// ofCaller marks an error of a request to the caller.
func ofCaller(err error) error {
	switch {
	case err != nil && ptrace.Gone(err):
		return errCallerGone
	case errors.Is(err, ptrace.ErrDispatched):
		return &transplant.Unsupported{Cause: callerDispatched}
	}
	return err
}

const callerDispatched = "the caller has the calls sent to it that it would be made to make (PR_SET_SYSCALL_USER_DISPATCH)"

// ofFrozen is ofCaller for the error of stopping all of the caller's threads. Where one of
// them executed a program the caller is left alone, and this thread ends.
func (c *call) ofFrozen(err error) error {
	if errors.Is(err, ptrace.ErrExecuted) {
		c.caller.Detached, c.lost = true, true
	}
	return ofCaller(err)
}
