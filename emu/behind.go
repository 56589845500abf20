// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"cloneat-emu/ptrace"
)

// A child that is not to be is reaped by its parent, which is made to. A frozen parent (cgroup.freeze)
// stops for us, yet makes no call before it is thawed; one that waits for a vfork child of its own
// does not even stop. So it is waited for, for as long as that takes, and runs nothing of its program
// before it has reaped the child, which until then nobody can see. But nobody else is to wait with
// us: the call is over, and who wants the target is told that it cannot be had.
//
//	target (frozen)                 worker                          others
//	                                the child is dead
//	on its way to wait4(2)          EBUSY to the caller; lets all go   EBUSY for the target
//	is thawed: reaps; goes on       lets the target go
//
// If the supervisor is killed meanwhile, the target reaps the child as soon as it is thawed all the
// same (package ptrace, guard), but may get its SIGCHLD.

// errFrozen is why a call fails that would have to wait for somebody's thaw.
var errFrozen = fmt.Errorf("frozen in the moment of a call, this one or another: %w", ptrace.ErrBusy)

// leaveBehind ends the call for all but the target, which is waited for until over is called. It may
// be called again.
func (c *call) leaveBehind() (over func()) {
	target := c.check.Target.TGID
	c.s.locks.stick(true, target)
	if !c.behind {
		c.behind = true
		c.leaveCaller()
		c.leaveRoom()
	}
	return func() { c.s.locks.stick(false, target) }
}

// leaveCaller answers the caller, and lets it go with all that was stopped with it. Where it was
// killed, those who wait for it cannot wait for the end of this thread.
func (c *call) leaveCaller() {
	if c.caller == nil || c.caller.Detached || c.check.Target.Self {
		return
	}
	beside := c.snap.Beside()
	if c.snap != nil {
		_ = c.snap.Release()
	}
	v := fails(unix.EBUSY, errFrozen.Error())
	c.tell(v)
	lost := c.lost
	c.letGo(v)
	if c.lost && !lost {
		c.lost = !ptrace.ReapKilled(append(beside, c.n.TID))
	}
	c.caller.Detached = true
	c.closeCaller()
	c.unlockBut(c.check.Target.TGID)
}

// unlockBut gives back all that this worker has but one process.
func (c *call) unlockBut(tgid int) {
	others := slices.DeleteFunc(c.locked, func(l int) bool { return l == tgid })
	c.locked, c.company = []int{tgid}, nil
	c.s.locks.unlock(others...)
}

// buriesIn reports whether a process is the target and has to reap a child.
func (c *call) buriesIn(tgid int) bool { return c.buries && tgid == c.check.Target.TGID }

// awaitTarget is [Server.awaitStop]; one that has to reap a child is waited for without end.
func (c *call) awaitTarget(r *ptrace.Running, tgid int) (*ptrace.Stopped, error) {
	stopped, err := c.s.awaitStop(r)
	if !c.buriesIn(tgid) || !errors.Is(err, ptrace.ErrBusy) {
		return stopped, err
	}
	defer c.leaveBehind()()
	for errors.Is(err, ptrace.ErrBusy) {
		stopped, err = c.s.awaitStop(r)
	}
	return stopped, err
}

// waitForCaller is for a caller that is frozen, or for what it was made to make: it is waited for, and
// its call goes on when it is thawed. Who wants it or its target is told that they cannot be had.
func (c *call) waitForCaller() (over func()) {
	locked := slices.Clone(c.locked)
	c.s.locks.stick(true, locked...)
	c.leaveRoom()
	return func() { c.s.locks.stick(false, locked...) }
}

// patientWith has whoever has just cloned be waited for, until the function that it returns is
// called: what it has made it has to reap.
func (c *call) patientWith(i *ptrace.Injection) (over func()) {
	was := i.Bound
	i.Bound = true
	return func() { i.Bound = was }
}
