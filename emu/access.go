// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"encoding/binary"
	"errors"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/kcmp"
	"cloneat-emu/ptrace"
)

// access is row 12: whether the calling thread may ptrace-attach the target
// thread. The kernel itself judges, user namespaces and LSMs included, since
// the caller is made to ask: its process_vm_readv(2) of the target checks
// PTRACE_MODE_ATTACH_REALCREDS before it looks at the (unmapped) address. Where
// both share their memory that call asks nobody (mm_access()); then
// pidfd_getfd(2) of a descriptor that is not open asks the same.
//
// The caller is stopped for it, and stays so until the call's end.
func (c *call) access(targetTID int) unix.Errno {
	if !c.attach() {
		return unix.EPERM // nobody hears of it: early says how the call ended
	}
	if err := c.callerJudged(); err != nil {
		c.end(verdictOf(err))
		return unix.EPERM
	}
	id := c.numberForCaller(targetTID)
	if id == 0 {
		return unix.ESRCH
	}
	var err error
	if c.oneMemory = c.sharesMemory(); c.oneMemory {
		err = c.askByDescriptor()
	} else {
		err = c.askByMemory(uintptr(id))
	}
	switch {
	case ptrace.Gone(err) && !errors.Is(err, unix.ESRCH), errors.Is(err, ptrace.ErrAgain):
		c.end(verdictOf(ofCaller(err)))
		return unix.EPERM
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return unix.EPERM
	case !permitted(err):
		c.end(fails(unix.ENOMEM, "asking whether the caller may trace the target: "+err.Error()))
		return unix.EPERM
	}
	return 0
}

// permitted reports whether err is what a caller is told that may trace the target. A
// target that ended is found out when it is attached.
func permitted(err error) bool {
	return err == nil || errors.Is(err, unix.EFAULT) || errors.Is(err, unix.EBADF) || errors.Is(err, unix.ESRCH)
}

// unmappedPage is an address that no process has mapped.
const unmappedPage = 0

func (c *call) askByMemory(id uintptr) error {
	var iov [16]byte // one struct iovec that serves both sides
	binary.LittleEndian.PutUint64(iov[0:], unmappedPage)
	binary.LittleEndian.PutUint64(iov[8:], 1)
	at, err := c.caller.Args(iov[:])
	if err != nil {
		return err
	}
	_, err = c.caller.Call(unix.SYS_PROCESS_VM_READV, id, at, 1, at, 1, 0)
	return err
}

// closedFD is a number that is open nowhere.
const closedFD = 1<<31 - 1

// askByDescriptor asks about the leader where threads have no pidfds: by then it is dead,
// and its credentials are those that it had.
func (c *call) askByDescriptor() error {
	fd, err := c.openTarget(c.caller)
	if err != nil {
		return err
	}
	_, answer := c.caller.Call(unix.SYS_PIDFD_GETFD, fd, closedFD, 0)
	if _, err := c.caller.Call(unix.SYS_CLOSE, fd); err != nil {
		return err
	}
	return answer
}

// sharesMemory reports whether caller and target have one address space.
func (c *call) sharesMemory() bool {
	same, err := kcmp.Same(c.n.TID, c.check.Target.TID, kcmp.VM)
	return err == nil && same
}
