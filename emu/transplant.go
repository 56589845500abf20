// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"errors"
	"math"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/transplant"
	"cloneat-emu/ptrace"
)

// The transplant engine: the target makes a child, which is rebuilt into a
// copy of the caller before it runs.
//
//	caller (stopped)          target                  child C
//	read once: Take
//	                          stop, one clone, go on  stopped at birth, EXITKILL
//	                                                  rebuilt: Build
//	result, go on                                     go on: 0
//
// The shared engine is the same with less to do: where the target has the
// caller's memory, the kernel's own copy of it is right.

func (c *call) makeShared() (int64, error) { return c.transplant(true) }

func (c *call) makeTransplant() (int64, error) { return c.transplant(false) }

func (c *call) transplant(memoryIsSame bool) (int64, error) {
	if err := c.mayFork(); err != nil {
		return 0, err
	}
	if err := c.mayUnshare(); err != nil {
		return 0, err
	}
	if err := c.targetJudged(); err != nil { // behind rows 15 to 17
		return 0, err
	}
	if err := c.openCaller(); err != nil {
		return 0, err
	}
	defer c.closeCaller()
	defer c.closeTime()
	c.memoryIsSame = memoryIsSame
	late, err := c.canStorePIDFD()
	if err != nil {
		return 0, err
	}
	if late != nil { // the target's clone decides rows 18 and before: nobody need be rebuilt
		child, err := c.bear()
		if err != nil {
			return 0, err
		}
		return c.undoLate(child, late)
	}
	c.left = &transplant.Leftovers{}
	snap, err := c.snapshot(memoryIsSame)
	if err != nil {
		return 0, ofCaller(err)
	}
	defer snap.Release() //nolint:errcheck // threads that are gone
	child, err := c.bear()
	if err != nil {
		return 0, err
	}
	id := c.numberForCaller(child.TID)
	c.step("caller read")
	kills := c.oomKills()
	stats, err := c.build(snap, child, memoryIsSame)
	if err != nil {
		err = ofTarget(c.outOfMemory(kills, err)) // gone: somebody killed it, or the target's namespace ended
		return 0, c.giveUp(child, err)
	}
	c.event.Pages, c.event.Bytes = stats.Pages, stats.Bytes
	return c.commit(child, id)
}

// snapshot reads the caller, which stands as it was stopped afterwards, for as long as
// the child is built.
func (c *call) snapshot(keepsMemory bool) (*transplant.Snapshot, error) {
	if onStep != nil {
		c.caller.OnAsleep = func() { c.step("caller asleep") }
		c.caller.OnForked = func() { c.step(helperForked) }
	}
	others := c.others()
	others.Company, others.KeepsMemory = c.company, keepsMemory
	snap, err := transplant.Take(c.caller, c.callerPIDFD, others, c.left)
	if err != nil {
		return nil, c.ofFrozen(err)
	}
	c.snap = snap
	return snap, nil
}

// bear makes the target clone. A signal that comes first has the target, and
// the attempt is made anew.
func (c *call) bear() (*ptrace.Stopped, error) {
	for !c.behind {
		t, err := c.stopTarget()
		if err != nil {
			return nil, ofTarget(err)
		}
		c.step("target stopped")
		child, err := c.bearOne(t)
		c.step("target cloned")
		buried, lerr := c.letFatherGo(t, child)
		c.step("target let go")
		if buried {
			break
		}
		if lerr != nil && err == nil && !ptrace.Gone(lerr) {
			child.Kill()
			return nil, lerr
		}
		if errors.Is(err, ptrace.ErrAgain) && !errors.Is(err, errAnew) {
			continue
		}
		if err != nil && lerr != nil {
			err = ptrace.ErrAgain // the thread is gone, or its number another's: what err says is not about it
		}
		if err == nil && c.behind {
			c.abandon(child)
			break
		}
		return child, ofTarget(err)
	}
	return nil, errFrozen
}

// bearOne is the target's window: one injected call.
func (c *call) bearOne(t *ptrace.Injection) (*ptrace.Stopped, error) {
	if err := errors.Join(c.missed(), c.asJudged()); err != nil {
		return nil, err
	}
	c.lent = c.lendsFiles()
	calm, err := unhurried(t.TID)
	if err != nil {
		return nil, err
	}
	defer calm()
	child, restore, err := c.unlimited(t, func() (*ptrace.Stopped, error) { return c.forkHinted(t, c.forTarget()) })
	if err != nil {
		restore()
		return nil, err
	}
	c.step("target in its clone")
	t.Bound = true // from here on it has a child
	if err := c.settleIn(child); err != nil {
		c.bury(t, child, func() { _, _ = t.Finish() })
		restore()
		return nil, err
	}
	if _, err := t.Finish(); err != nil {
		c.abandon(child)
		return nil, err
	}
	restore()
	if c.behind { // before the target sees it
		c.bury(t, child, func() {})
		return nil, errFrozen
	}
	return child, nil
}

// atBirth are the namespaces that only a clone can make: a new time namespace
// holds the children of whoever unshares it, a pid namespace too.
const atBirth = unix.CLONE_NEWPID | unix.CLONE_NEWTIME

// forTarget is the call that the target makes. What it shares with the caller
// (row 11) it hands down. Its descriptors are lent to the child, which so holds none of them
// for a moment longer than the target does. Its root and working directory are not: a target
// that shares them executes set-user-ID programs without effect (check_unsafe_exec() in
// fs/exec.c).
func (c *call) forTarget() cloneArgs {
	flags := c.args.Flags & (sharing | atBirth)
	if c.lent {
		flags |= unix.CLONE_FILES
	}
	return cloneArgs{Flags: flags, ExitSignal: uint64(unix.SIGCHLD)}
}

// lendsFiles reports whether the child is born with the target's table of descriptors, for the
// moment in which the target stands still. One that executes a program while others have its
// table leaves that to them, and its locks with it (unshare_files() in kernel/fork.c): not where
// another thread might.
func (c *call) lendsFiles() bool {
	if c.args.Has(unix.CLONE_FILES) || !transplant.ClosesRanges() {
		return false
	}
	st, err := c.check.Target.Thread.Stat()
	return err == nil && st.NumThreads == 1
}

// settleIn is what a new child does while the target stands: it leaves the table that it was
// lent, for one without any descriptors, and joins the caller's process group.
func (c *call) settleIn(child *ptrace.Stopped) error {
	group, err := transplant.Group(c.n.TID, child.TID)
	if err == nil && (c.lent || group != 0) {
		err = c.settleByCalls(child, group)
	}
	return errors.Join(err, c.missed())
}

func (c *call) settleByCalls(child *ptrace.Stopped, group int) error {
	i, err := hold(child)
	if err != nil {
		return err
	}
	i.OnStuck = c.leaveBehind // frozen with the target
	if c.lent {
		_, err = i.Call(unix.SYS_CLOSE_RANGE, 0, math.MaxUint32, unix.CLOSE_RANGE_UNSHARE)
	}
	if group != 0 && err == nil {
		err = c.joinGroup(i, group)
	}
	return errors.Join(err, i.End())
}

// build turns the child into a copy of the caller.
func (c *call) build(snap *transplant.Snapshot, child *ptrace.Stopped, memoryIsSame bool) (transplant.Stats, error) {
	a := c.args
	o := transplant.Options{
		Files: c.s.means.files, BestEffort: c.s.cfg.BestEffort, Log: c.s.log.WithField("caller", c.n.TID),
		Target:     c.check.Target.TID,
		ShareFiles: a.Has(unix.CLONE_FILES), ShareFS: a.Has(unix.CLONE_FS), NoFiles: c.lent,
		ShareSighand: a.Has(unix.CLONE_SIGHAND), ShareVM: a.Has(unix.CLONE_VM),
		KeepMemory:    memoryIsSame && !a.Has(unix.CLONE_VM),
		ClearSighand:  a.Has(unix.CLONE_CLEAR_SIGHAND),
		ClearAltStack: a.Has(unix.CLONE_VM) && !a.Has(unix.CLONE_VFORK),
		Unshare:       a.Flags & newNamespaces &^ atBirth,
	}
	if onStep != nil {
		o.OnStage = func(stage string) { c.step("transplant: " + stage) }
	}
	if a.StackBase != 0 {
		o.StackPointer = a.StackBase + a.StackSize
	}
	if a.Has(unix.CLONE_SETTLS) {
		o.TLS = &a.TLS
	}
	if a.Has(unix.CLONE_CHILD_CLEARTID) && !a.Has(unix.CLONE_VM) {
		o.ChildClearTID = a.ChildTID
	}
	pidfd, err := unix.PidfdOpen(child.TID, 0)
	if err != nil {
		return transplant.Stats{}, err
	}
	defer unix.Close(pidfd)
	o.TimeNS = c.timeNS
	c.rebuilt = child.TID
	defer func() { c.rebuilt = 0 }()
	return snap.Build(child, pidfd, o)
}

// newNamespaces are the flags that make one.
const newNamespaces = unix.CLONE_NEWNS | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWNET |
	unix.CLONE_NEWCGROUP | unix.CLONE_NEWPID | unix.CLONE_NEWTIME

// openCaller opens the caller's process. It is stopped and cannot be reaped
// unless it dies, which the stop would tell.
func (c *call) openCaller() (err error) {
	c.callerPIDFD, err = unix.PidfdOpen(c.check.Caller.TGID, 0)
	if err != nil {
		return errCallerGone
	}
	return nil
}

func (c *call) closeCaller() {
	if c.callerPIDFD >= 0 {
		unix.Close(c.callerPIDFD)
		c.callerPIDFD = -1
	}
}
