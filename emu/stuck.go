// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"time"

	"cloneat-emu/ptrace"
)

// A child in the making that waits for a server which does not answer (FUSE) may not even end when
// it is killed: it closes its files by that. Its call is over then: caller and target are let go, and
// others may call. The worker alone stays, and has the target reap the child when that ends at last.

// soon is how long a killed child may take to end.
const soon = time.Second

// giveUp is abandon for a child whose end may have to be waited for. It returns err, which is why
// the child is not to be, for as long as the caller has not been told.
func (c *call) giveUp(child *ptrace.Stopped, err error) error {
	if !c.childLeft {
		c.leaveGroupFirst(child)
		if !child.DieWithin(soon) {
			c.leaveChild(child.TID, err)
		}
	}
	if !c.childLeft {
		c.abandon(child)
		return err
	}
	child.Die() // nobody stands still for that
	c.locked = []int{c.check.Target.TGID}
	c.s.locks.await(c.locked...)
	c.abandon(child)
	c.s.pool.resume()
	return errCallerGone // it was told
}

// leaveChild ends the call for all but the child. The caller may have been killed meanwhile: its
// parent waits for it.
func (c *call) leaveChild(child int, err error) {
	v := c.unlessDying(verdictOf(c.ownFault(ofTarget(err))))
	if v.again {
		v = verdictOf(ptrace.ErrBusy) // to call again is to wait for the same
	}
	v = c.s.patience.judge(c.n.TID, v)
	c.event.Engine = ""
	c.tell(v)
	c.letGo(v)
	if c.lost {
		ptrace.ReapAllBut(c.n.TID, child, soon)
	}
	// Whom we still hold this thread's end lets go (finish); nobody waits for that before.
	c.caller.Detached, c.childLeft, c.lost = true, true, false
	c.company = nil
	c.unlock()
	c.leaveRoom()
	c.s.pool.leave()
}
