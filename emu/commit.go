// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
	"cloneat-emu/ptrace"
)

// commit is the end of every way but self: the child stands ready and stopped
// below the target. The caller gets its result first, then the child runs; a
// supervisor that dies between the two takes the child along.
func (c *call) commit(child *ptrace.Stopped, id int64) (int64, error) {
	c.step("child ready")
	if err := c.stillBelow(child.TID); err != nil {
		return 0, c.giveUp(child, err)
	}
	if err := c.storePIDFD(id); err != nil {
		return 0, c.giveUp(child, err)
	}
	c.storeParentTID(id)
	c.storeChildTID(child)
	if c.args.Has(unix.CLONE_VFORK) {
		return id, c.untilExec(child, id)
	}
	c.tell(verdict{value: id})
	c.letGo(verdict{value: id})
	c.caller.Detached = true
	c.step("result delivered")
	return id, c.run1(child)
}

// run1 lets a finished child go.
func (c *call) run1(child *ptrace.Stopped) error {
	if err := c.released(child.Detach(0)); err != nil && !ptrace.Gone(err) {
		return fmt.Errorf("the child: %w", err)
	}
	c.step("child released")
	return nil
}

// stillBelow looks a last time: a target that is gone is ESRCH, one that is no
// descendant any more EPERM.
func (c *call) stillBelow(child int) error {
	d, err := proc.Open(child)
	if err != nil {
		return unix.ESRCH
	}
	defer d.Close()
	st, err := d.Stat()
	if err != nil || st.Ppid != c.check.Target.TGID {
		return unix.ESRCH
	}
	return c.stillDescendant()
}

// storeParentTID is CLONE_PARENT_SETTID; a bad pointer is ignored, as in
// clone(2).
func (c *call) storeParentTID(id int64) {
	if c.args.Has(unix.CLONE_PARENT_SETTID) {
		storeNumber(c.n.TID, id, c.args.ParentTID)
	}
}

// storeNumber stores a child's number in the memory of tid, if it can be stored there.
func storeNumber(tid int, id int64, at uint64) {
	var b [4]byte
	binary.LittleEndian.PutUint32(b[:], uint32(id))
	_ = callerMemory{tid}.WriteAt(b[:], at)
}

// canStorePIDFD finds out before anything is made whether the caller has room
// for a pidfd, and memory for its number. late is row 19, which the rows that the
// clone decides go before: it is made all the same, see [call.undoLate].
func (c *call) canStorePIDFD() (late, err error) {
	if !c.args.Has(unix.CLONE_PIDFD) {
		return nil, nil
	}
	if !c.hasRoomForFD() {
		switch err := c.tryPIDFD(); {
		case errors.Is(err, errPIDFD) && !errors.Is(err, ptrace.ErrAgain):
			return err, nil
		case err != nil:
			return nil, err
		}
	}
	var b [4]byte
	mem := callerMemory{c.n.TID}
	if mem.ReadAt(b[:], c.args.ParentTID) != nil || mem.WriteAt(b[:], c.args.ParentTID) != nil {
		return errBadPointer, nil
	}
	return nil, nil
}

// undoLate is the end of a call that row 19 forbids and no row before it: as in
// copy_process(), the child was there to find that out, and goes again.
func (c *call) undoLate(child *ptrace.Stopped, late error) (int64, error) {
	return 0, c.giveUp(child, late)
}

// hasRoomForFD reports whether the caller can have one more descriptor for certain:
// its table, in which none has a number above the size, is smaller than its limit.
// That spares two calls in it; ENFILE is left for the end.
func (c *call) hasRoomForFD() bool {
	var limit unix.Rlimit
	err := unix.Prlimit(c.check.Caller.TGID, unix.RLIMIT_NOFILE, nil, &limit)
	return err == nil && uint64(c.check.Caller.Status.FDSize) < limit.Cur
}

// tryPIDFD lets the caller make a pidfd and close it.
func (c *call) tryPIDFD() error {
	fd, err := c.caller.Call(unix.SYS_PIDFD_OPEN, uintptr(c.numberForCaller(c.check.Caller.TGID)), 0)
	if err != nil {
		return ofCaller(errors.Join(errPIDFD, err))
	}
	_, err = c.caller.Call(unix.SYS_CLOSE, fd)
	return ofCaller(err)
}

// storePIDFD is CLONE_PIDFD: the descriptor appears in the caller.
func (c *call) storePIDFD(id int64) error {
	if !c.args.Has(unix.CLONE_PIDFD) {
		return nil
	}
	fd, err := c.caller.Call(unix.SYS_PIDFD_OPEN, uintptr(id), 0)
	if err != nil {
		return ofCaller(errors.Join(errPIDFD, err))
	}
	var b [4]byte
	binary.LittleEndian.PutUint32(b[:], uint32(fd))
	if (callerMemory{c.n.TID}).WriteAt(b[:], c.args.ParentTID) != nil {
		_, cerr := c.caller.Call(unix.SYS_CLOSE, fd)
		return ofCaller(errors.Join(errBadPointer, cerr))
	}
	return nil
}
