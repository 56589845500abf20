// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
	"cloneat-emu/ptrace"
)

// stopTarget stops the target thread wherever it is. Precondition: this worker
// holds the process's lock.
func (c *call) stopTarget() (*ptrace.Injection, error) {
	return c.stopThread(c.check.Target.TID, c.check.Target.TGID)
}

// stopThread is stopTarget for any thread of which this worker holds the process's lock.
func (c *call) stopThread(tid, tgid int) (*ptrace.Injection, error) {
	if err := ptrace.AwaitCalm(tid); err != nil {
		return nil, err
	}
	r, err := ptrace.Seize(tid, ptrace.Plain)
	if errors.Is(err, unix.EPERM) {
		// A leader that another thread's exec ended: SEIZE waits for that exec
		// (cred_guard_mutex), and judges the old leader. The new one has its number.
		r, err = ptrace.Seize(tid, ptrace.Plain)
	}
	if err != nil {
		return nil, seizeFailed(tid, err)
	}
	r.Observe()
	if err := c.released(r.Interrupt()); err != nil {
		return nil, err
	}
	stopped, err := c.awaitTarget(r, tgid)
	if err != nil {
		c.lost = true // still on its way to a stop: only the thread's end detaches it
		letExecutedGo(c.s, err, tid, tgid)
		return nil, err
	}
	// First what keeps the target's call from harm if this process dies.
	i, err := stopped.Begin()
	if err != nil {
		_ = c.released(stopped.Detach(0))
		return nil, err
	}
	if tgid == c.check.Target.TGID {
		i.OnStuck, i.Bound = c.leaveBehind, c.buries
	}
	c.s.arm(stopped)
	return i, nil
}

// letExecutedGo finds a tracee that executed a program on its way to the stop.
// If it was not the leader it has the leader's number now, and would be in the
// way of the next attempt until this thread has ended.
func letExecutedGo(s *Server, err error, tid, leader int) {
	if ptrace.Gone(err) && leader != tid {
		if stopped, err := s.awaitStop(ptrace.Adopt(leader)); err == nil {
			_ = stopped.Detach(0)
		}
	}
}

// seizeFailed tells a target that exits (EPERM too) from one that another
// process traces.
func seizeFailed(tid int, err error) error {
	if !errors.Is(err, unix.EPERM) {
		return err
	}
	if proc.Exiting(tid) {
		return unix.ESRCH
	}
	return fmt.Errorf("target %d is traced by another process, or may not be traced: %w", tid, ptrace.ErrBusy)
}

// letTargetGo gives the target back what it had.
func (c *call) letTargetGo(t *ptrace.Injection) error {
	if err := c.giveBack(t); err != nil || t.Detached {
		return err
	}
	return c.released(t.LetGo())
}

// giveBack is letTargetGo for a target that stands still a moment longer.
func (c *call) giveBack(t *ptrace.Injection) error {
	c.s.letGo(t.TID, t.Due()) // an alarm waits for this call's end
	if t.Detached {
		return nil
	}
	return c.released(t.End())
}

// letFatherGo is letTargetGo for a target that may have a new child. If it was frozen on its way, so
// that the call is over by now, it has buried that before it sees it.
func (c *call) letFatherGo(t *ptrace.Injection, child *ptrace.Stopped) (buried bool, err error) {
	if err := c.giveBack(t); err != nil || t.Detached {
		return false, err
	}
	if child == nil || !c.behind || t.Last.Kind != ptrace.Interrupt && t.Last.Kind != ptrace.Group {
		return false, c.released(t.LetGo())
	}
	again, err := t.Begin()
	if err != nil {
		return false, c.released(err)
	}
	again.OnStuck = c.leaveBehind
	c.bury(again, child, func() {})
	return true, c.letTargetGo(again)
}

// abandon ends a child that is not to be, without a trace in the target: it is
// stopped, the child killed, and the target made to reap it, with signals
// blocked, so that no handler of this thread sees the SIGCHLD.
func (c *call) abandon(child *ptrace.Stopped) {
	c.buries = true
	t, err := c.stopTarget()
	if err != nil {
		c.orphan(child)
		c.removeLeftovers(nil)
		return
	}
	c.bury(t, child, func() {})
	c.removeLeftovers(t)
	_ = c.letTargetGo(t)
}

// bury kills a child of the stopped target, and has it reaped behind what comes in between.
func (c *call) bury(t *ptrace.Injection, child *ptrace.Stopped, between func()) {
	id, reaped := uintptr(numberFor(c.check.Target.TID, child.TID)), false
	c.buries, t.Bound = true, true
	_ = c.quietly(t, child.TID, unix.SIGCHLD, func() error {
		c.leaveGroup(t, child, id)
		t.KillChild(child)
		between()
		reaped = t.ReapChild(child, id)
		return nil
	})
	if !reaped {
		c.orphan(child)
	}
}

// removeLeftovers has the target, or if that is gone the caller, remove what a dead child
// left in what all share.
func (c *call) removeLeftovers(t *ptrace.Injection) {
	if t == nil {
		t = c.caller
	}
	if c.left != nil {
		_ = c.left.Remove(t) // gone: it is killed, and its share with it
	}
}

// tidyAfterCaller has the target remove what a caller that was killed left in the memory
// that they share: a slot that it worked in, and what it was asked questions in. A live one
// has left nothing of those when its call ends.
func (c *call) tidyAfterCaller() {
	if !c.oneMemory || c.caller == nil || c.caller.Detached {
		return
	}
	if (c.left == nil || c.left.Empty()) && !proc.Exiting(c.n.TID) {
		return
	}
	t, err := c.stopTarget()
	if err != nil {
		return
	}
	_ = c.caller.UnguardBy(t.Stopped)
	c.removeLeftovers(t)
	_ = c.letTargetGo(t)
}

// targetAlive says ESRCH once the target has been reaped: its number may be
// another's from then on.
func (c *call) targetAlive() error {
	if !c.check.Target.Dir.Alive() {
		return unix.ESRCH
	}
	return nil
}

// stillDescendant is row 9 once more, at the end.
func (c *call) stillDescendant() error {
	below, err := c.check.Target.Dir.DescendsFrom(c.check.Caller.TGID)
	switch {
	case err != nil:
		return unix.ESRCH
	case !below:
		return unix.EPERM
	}
	return nil
}
