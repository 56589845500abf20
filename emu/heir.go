// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
	"cloneat-emu/ptrace"
)

// A child in the making is a child of the caller's process (C1, giver) or of the target's. Where
// that is killed meanwhile, it is left to whoever adopts the orphans, a process that has never heard
// of it. As long as its tracer has not reaped it, nobody is told anything: so the heir, if it is one
// of those that are served, is made to reap it quietly, as a target is made to reap a child that is
// not to be. An heir outside, which is the init of a system or nearly that, or with filters that
// cannot be suspended, reaps it as any other.

// reapFather reaps C1, if there was one, so that its parent can.
func (c *call) reapFather() {
	if c.father != nil && !c.callerKilled() {
		c.father.Reap()
	}
}

// forgetFather has the heir reap a C1 that nobody could, since the caller was killed when it was
// about to.
func (c *call) forgetFather() {
	if c.father == nil {
		return
	}
	if st, err := statOf(c.father.TID); err == nil && st.State == 'Z' {
		c.orphan(c.father)
	}
	c.father = nil
}

func (c *call) callerKilled() bool {
	return proc.Exiting(c.n.TID) || proc.Pending(c.n.TID, unix.SIGKILL)
}

// orphan ends a child in the making whose parent has no thread that could be made to reap it, or
// had none a moment ago.
func (c *call) orphan(child *ptrace.Stopped) {
	child.Die()
	if !c.inherited(child) {
		child.Reap()
	}
}

// inherited has a dead child reaped by the process whose child it is when that one's own end is
// not under way, and reports whether it has been.
func (c *call) inherited(child *ptrace.Stopped) bool {
	const bound = time.Second / 2
	for end := time.Now().Add(bound); time.Now().Before(end); time.Sleep(50 * time.Microsecond) {
		st, err := statOf(child.TID)
		if err != nil || child.Reaped() && st.State != 'Z' {
			return false
		}
		if heir := liveThread(st.Ppid); heir != 0 {
			if done, again := c.leftTo(heir, st.Ppid, child); !again {
				return done
			}
		}
	}
	return false
}

// leftTo has thread tid of a process reap the child. It is to be tried again where another worker
// has the process, or it has just been killed.
func (c *call) leftTo(tid, tgid int, child *ptrace.Stopped) (done, again bool) {
	switch {
	case tgid == c.check.Caller.TGID && !c.behind:
		if c.caller == nil || c.caller.Detached {
			return false, false
		}
		return c.reapQuietly(c.caller, child)
	case slices.Contains(c.company, tgid): // this worker has it
		if t := c.snap.Frozen(tid); t != nil {
			return c.leftToFrozen(t, child)
		}
	case tgid != c.check.Target.TGID:
		if !c.serves(tid) {
			return false, false
		}
		// Not waited for: who has it may wait for one of ours.
		if !c.s.locks.try(tgid) {
			return false, true
		}
		defer c.s.locks.unlock(tgid)
	}
	t, err := c.stopThread(tid, tgid)
	if err != nil {
		return false, ptrace.Gone(err)
	}
	done, again = c.reapQuietly(t, child)
	_ = c.letTargetGo(t)
	return done, again
}

// leftToFrozen is for a thread that is stopped with the caller, and stays so.
func (c *call) leftToFrozen(t *ptrace.Stopped, child *ptrace.Stopped) (done, again bool) {
	i, err := t.Begin()
	if err != nil {
		return false, ptrace.Gone(err)
	}
	done, again = c.reapQuietly(i, child)
	_ = i.End()
	return done, again
}

// reapQuietly is for a stopped thread of the child's parent; it is another's child by now if that
// was killed.
func (c *call) reapQuietly(t *ptrace.Injection, child *ptrace.Stopped) (done, again bool) {
	if st, err := statOf(child.TID); err != nil || st.Ppid != groupOf(t.TID) {
		return false, err == nil
	}
	id := uintptr(numberFor(t.TID, child.TID))
	_ = c.quietly(t, child.TID, unix.SIGCHLD, func() error {
		done = t.ReapChild(child, id)
		return nil
	})
	return done, !done
}

// serves reports whether a thread can be made to reap a child: it is below the listener's
// filter, as only those are that the supervisor has started, and no filter of its own would judge
// it for that. Before Linux 5.9 nobody knows.
func (c *call) serves(tid int) bool {
	st, err := statusOf(tid)
	return err == nil && st.Tgid != os.Getpid() && st.SeccompFilters >= ptrace.CommonFilters() &&
		c.judged("heir", st) == nil
}
