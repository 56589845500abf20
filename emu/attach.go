// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"errors"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/listen"
	"cloneat-emu/emu/proc"
	"cloneat-emu/ptrace"
)

// attach takes the threads that the call needs for this worker and stops the
// caller. It reports false where the call ended by that; early says how.
func (c *call) attach() bool {
	if c.caller != nil {
		return true
	}
	if !c.lock() {
		return c.end(fails(unix.EBUSY, errFrozen.Error()))
	}
	if !c.s.waiting.take(c.n.TID, c.n.ID) {
		return c.end(verdict{drop: true}) // sent back, to be stopped as a target
	}
	return c.stopCaller()
}

// lock takes the caller's process, and where the target is another that, and the caller's company.
// It reports false where one of them is waited for already, since it is frozen (behind.go).
func (c *call) lock() bool {
	c.locked = []int{c.check.Caller.TGID}
	if t := c.check.Target; !t.Self {
		c.locked = append(c.locked, t.TGID)
		for _, tgid := range c.s.patience.company(c.n.TID) {
			if tgid != t.TGID {
				c.company = append(c.company, tgid)
			}
		}
		c.locked = append(c.locked, c.company...)
	}
	if c.s.locks.lock(c.locked...) {
		return true
	}
	c.locked = nil
	return false
}

func (c *call) end(v verdict) bool {
	c.early = &v
	return false
}

// stopCaller brings the caller out of its wait into an interrupt stop:
//
//	worker                         caller
//	SEIZE, INTERRUPT               waits, killable only: nothing happens yet
//	answer: ERESTARTNOINTR         leaves the wait, stops in the signal code
//	read; make the child
//	rax = result, DETACH           returns from the call
//
// Until rax is changed, a supervisor that dies leaves a caller that makes its
// call again, and gets ENOSYS.
func (c *call) stopCaller() bool {
	r, err := ptrace.Seize(c.n.TID, ptrace.Plain)
	if errors.Is(err, unix.EPERM) && !proc.Exiting(c.n.TID) && listen.Valid(c.s.fd, c.n.ID) {
		return c.endUnstopped(fails(unix.EBUSY, "the caller is traced by another process, or may not be traced"))
	}
	if err == nil {
		err = c.released(r.Interrupt())
	}
	if err != nil {
		return c.end(verdict{drop: true})
	}
	c.step("caller seized")
	c.s.sendRestart(c.n.ID)
	c.step("caller sent back")
	stopped, _, err := r.WaitTelling(c.waitForCaller)
	if err != nil {
		return c.end(verdict{drop: true})
	}
	regs, err := stopped.Regs()
	if err != nil || !c.inCall(regs) {
		_ = c.released(stopped.Detach(0))
		return c.end(verdict{drop: true}) // a signal had it: it will call again
	}
	if kept := ptrace.KeepFromEINTR(regs); kept != regs {
		regs = kept
		_ = stopped.SetRegs(regs)
	}
	c.s.arm(stopped)
	c.caller, err = stopped.BeginWith(regs)
	if errors.Is(err, ptrace.ErrDispatched) {
		return c.endDispatched(stopped, regs)
	}
	if err != nil {
		_ = c.released(stopped.Detach(0))
		return c.end(verdict{drop: true})
	}
	c.caller.OnStuck, c.caller.Bound = c.waitForCaller, true
	return true
}

// endDispatched answers a caller that can make no call for us.
func (c *call) endDispatched(stopped *ptrace.Stopped, regs ptrace.Regs) bool {
	v := fails(unix.EOPNOTSUPP, callerDispatched)
	err := stopped.SetRegs(ptrace.WithResult(regs, -int64(v.errno)))
	if err = errors.Join(err, c.released(stopped.Detach(0))); err == nil {
		c.tell(v)
	}
	return c.end(verdict{drop: true})
}

// endUnstopped answers a caller that could not be stopped.
func (c *call) endUnstopped(v verdict) bool {
	_ = listen.Send(c.s.fd, c.n.ID, v.value, v.errno)
	c.tell(v)
	return c.end(verdict{drop: true})
}

// inCall reports whether the registers are those of this call, interrupted.
func (c *call) inCall(r ptrace.Regs) bool {
	nr, in := ptrace.InSyscall(r)
	return in && nr == c.n.Nr && ptrace.Restarts(r) && ptrace.CallArgs(r) == [3]uint64(c.n.Args[:3])
}

// letGo gives the caller its registers back, with the result in rax, and
// detaches. Where the verdict is to call again, it restarts the same call.
func (c *call) letGo(v verdict) {
	if c.caller.Detached {
		return
	}
	if !v.again && !v.drop {
		value := v.value
		if v.errno != 0 {
			value = -int64(v.errno)
		}
		c.caller.SetSaved(ptrace.WithResult(c.caller.Saved(), value))
	}
	if c.released(c.caller.End()) == nil {
		_ = c.released(c.caller.LetGo())
	}
}

// released looks at how a tracee was let go. One that was killed in its stop
// waits for this thread to hear of its end, and its parent cannot reap it
// before (kernel/exit.c, wait_consider_task()); so that an init killed with all
// its namespace never hangs, the thread ends, which lets go of everything.
func (c *call) released(err error) error {
	if ptrace.Gone(err) {
		c.lost = true
	}
	return err
}
