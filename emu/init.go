// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"errors"
	"sync"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
	"cloneat-emu/emu/transplant"
	"cloneat-emu/ptrace"
)

// The init engine makes a true copy-on-write clone of the caller below the init
// of a pid namespace: an orphan whose dead father lived in that namespace is
// adopted by its init (find_new_reaper() in kernel/exit.c).
//
//	caller ── clone(VM|THREAD|VFORK) ── C0, a thread of the caller's
//	  C0:  setns(target, NEWPID)        its children are born over there
//	  C0 ── clone(VM|VFORK) ── C1       in the target's pid namespace
//	    C1:  setns(target, the rest)
//	    C1 ── clone(hint) ── C2         the child: the caller's memory, copied once
//	    C1:  is killed                  C2 is the init's child now
//	  C0:  wait(C1), exit               nothing is left for the caller to reap
//
// All changes happen in C0 and C1; the caller runs one injected clone. VFORK
// keeps the alternate signal stack, which CLONE_VM alone would reset
// (sas_ss_reset in kernel/fork.c). C1 takes an explicit unused pid, so that the
// namespace's cursor does not move for it.
//
// All three share one table of descriptors, a copy of the caller's, which is C2's alone in
// the end: nobody closes what is in it. A close by C0 would be one by the caller's process,
// which takes it for the end of its interest (mqueue_flush_file() in ipc/mqueue.c).

// sharing are the flags that make the child share something with the target.
const sharing = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND |
	unix.CLONE_SYSVSEM | unix.CLONE_IO

// toInit reports whether the engine fits: what the child shares, it must share
// with the caller alone, and the target must have a pidfd that leads to its namespaces.
func (c *call) toInit() bool {
	t := c.check.Target
	if t.Self || c.args.Has(sharing) || t.TID != t.TGID && !threadPIDFDs() {
		return false
	}
	ids, own := t.NSpid, c.check.Caller.Status.NSpid
	return len(ids) > len(own) && ids[len(ids)-1] == 1 && c.mayThread()
}

// mayThread reports whether the caller can make a thread: its children must be
// born in its own pid and time namespace (kernel/fork.c, copy_process()).
func (c *call) mayThread() bool {
	caller := c.check.Caller.Thread
	for _, kinds := range [][2]proc.Kind{{proc.PID, proc.PIDForChildren}, {proc.Time, proc.TimeForChildren}} {
		if same, err := sameNS(caller, kinds[0], kinds[1]); err != nil || !same {
			return false
		}
	}
	return true
}

// makeInit runs the steps in the caller.
func (c *call) makeInit() (int64, error) {
	late, err := c.canStorePIDFD()
	if err != nil {
		return 0, err
	}
	if c.rseq, err = c.caller.FindRseq(); err != nil { // later it waits for C0
		return 0, ofCaller(err)
	}
	release, err := c.freezeOthers()
	if err != nil {
		return 0, err
	}
	child, id, err := c.viaThread()
	release()
	switch {
	case err != nil:
		return 0, c.ofInit(err)
	case late != nil:
		return c.undoLate(child.Stopped, late)
	}
	if err := c.inGroups(child.TID); err != nil { // now that it is the target's
		return 0, c.giveUp(child.Stopped, ofTarget(err))
	}
	return c.commit(child.Stopped, id)
}

// ofInit marks an error on the way to a child of an init. Its leader may have ended, or one of the
// helpers in its namespace been killed. Where somebody kills those without end, there is none.
func (c *call) ofInit(err error) error {
	if c.s.patience.tried(c.n.TID) >= maxMissed {
		return err
	}
	return ofTarget(err)
}

// freezeOthers stops the caller's other threads: an exec of one of them would end C0,
// and leave C1 to the new program as a child that it knows nothing of. Who had no other
// thread when it called has none: it is stopped in that call.
func (c *call) freezeOthers() (release func(), err error) {
	if c.check.Caller.Status.Threads == 1 {
		return func() {}, nil
	}
	others, err := transplant.Freeze(c.caller.Stopped, c.others())
	if err != nil {
		return nil, c.ofFrozen(err)
	}
	return func() { _ = others.Release() }, nil
}

// viaThread makes C0 and ends it again. The child is left stopped.
func (c *call) viaThread() (*ptrace.Injection, int64, error) {
	flags := uint64(unix.CLONE_VM | unix.CLONE_THREAD | unix.CLONE_SIGHAND | unix.CLONE_VFORK)
	stopped, err := c.fork(c.caller, cloneArgs{Flags: flags}, nil)
	if err != nil {
		return nil, 0, ofCaller(err)
	}
	c0, err := stopped.Begin()
	if err != nil {
		return nil, 0, ofCaller(err)
	}
	c0.Ends, c0.OnStuck, c0.Bound = true, c.waitForCaller, true
	c.step("init: thread made")
	child, id, err := c.inThread(c0)
	c.endThread(c0)
	if _, ferr := c.caller.Finish(); ferr != nil {
		if child != nil {
			c.orphan(child.Stopped)
		}
		return nil, 0, ofCaller(ferr)
	}
	return child, id, err
}

// inThread is C0's part.
func (c *call) inThread(c0 *ptrace.Injection) (*ptrace.Injection, int64, error) {
	pidfd, err := c.openTarget(c0)
	if err != nil {
		return nil, 0, err
	}
	if err := c.targetAlive(); err != nil {
		return nil, 0, err // what was opened may be another process
	}
	if _, err := c0.Call(unix.SYS_SETNS, pidfd, unix.CLONE_NEWPID); err != nil {
		return nil, 0, err
	}
	c.step("init: thread over there")
	stopped, err := c.forkOver(c0)
	if err != nil {
		return nil, 0, err
	}
	c.step("init: father made")
	child, id, err := c.viaC1(c0, stopped, pidfd)
	c.step("init: father gone")
	return child, id, err
}

// viaC1 lets C1 make the child and ends it, for C0 waits in its clone until then:
// a C0 that cannot be told to exit would have to be killed, and the caller with it.
func (c *call) viaC1(c0 *ptrace.Injection, stopped *ptrace.Stopped, pidfd uintptr) (*ptrace.Injection, int64, error) {
	c1, err := hold(stopped)
	if err != nil {
		stopped.Die()
		c.father = stopped
		return nil, 0, err
	}
	c1.OnStuck, c1.Bound = c.waitForCaller, true
	defer func() {
		c1.Die()
		c.father = c1.Stopped
		_ = c1.UnguardBy(c.caller.Stopped) // the memory is the caller's
	}()
	return c.overThere(c0, c1, pidfd)
}

// forkOver makes C1 under a number that nobody has.
func (c *call) forkOver(c0 *ptrace.Injection) (*ptrace.Stopped, error) {
	args := cloneArgs{Flags: unix.CLONE_VM | unix.CLONE_FILES | unix.CLONE_VFORK}
	end, err := proc.PIDMax()
	if err != nil {
		end = 0 // no /proc/sys here (mount option subset=pid): any number
	}
	for n := end - 1; n > end-maxUnused && n > 1; n-- {
		if n == c.hint {
			continue
		}
		child, err := c.fork(c0, args, []int32{int32(n)})
		switch {
		case errors.Is(err, unix.EEXIST):
			continue
		case errors.Is(err, unix.EINVAL), errors.Is(err, unix.EPERM):
			return c.fork(c0, args, nil) // the namespace has a smaller pid_max, or the right is missing
		}
		return child, err
	}
	return c.fork(c0, args, nil)
}

// maxUnused bounds the search for a number that nobody has.
const maxUnused = 64

// overThere is C1's part: it joins the namespaces and makes the child.
func (c *call) overThere(c0, c1 *ptrace.Injection, pidfd uintptr) (*ptrace.Injection, int64, error) {
	if err := c.join(c1, pidfd); err != nil {
		return nil, 0, err
	}
	defer c.closeRoot()
	c.step("init: father over there")
	c0.LeaveStop(c.caller)
	if err := c.missed(); err != nil {
		return nil, 0, err
	}
	stopped, err := c.forkChild(c1)
	if err != nil {
		return nil, 0, err
	}
	c.step("init: child made")
	child, err := c.ready(stopped, pidfd, c0, c1)
	if err != nil {
		undo(c1, stopped)
		return nil, 0, err
	}
	c.step("init: child ready")
	return child, c.numberForCaller(child.TID), nil
}

// endThread ends C0, and what it made: in its clone it need only go on, into the code
// that would end it if we died. Without room for that it makes the same calls.
// C1 becomes one that can be waited for when C0 waits.
func (c *call) endThread(c0 *ptrace.Injection) {
	defer c.forgetFather()
	if c0.Last.Kind == ptrace.Event {
		if c0.RunOut(c.caller, sync.OnceFunc(c.reapFather)) {
			_ = c0.UnguardBy(c.caller.Stopped)
			return
		}
		id, err := c0.Finish()
		switch {
		case err != nil:
		case c.father == nil: // it was gone before it did anything
			_, _ = c0.Call(unix.SYS_WAIT4, id, 0, unix.WALL, 0)
		case c0.ReapChild(c.father, id):
			c.father = nil
		}
	}
	c.exit(c0)
	c0.LeaveStop(c.caller)
}

// exit ends a helper of the making. It may have been killed already, with the pid
// namespace that it is in: then we are the first who have to wait for it.
func (c *call) exit(i *ptrace.Injection) {
	if _, err := i.Call(unix.SYS_EXIT, 0); ptrace.Gone(err) {
		i.Reap()
	} else {
		i.Kill()
	}
	_ = i.UnguardBy(c.caller.Stopped) // the memory is the caller's
}
