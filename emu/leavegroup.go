// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"errors"

	"golang.org/x/sys/unix"

	"cloneat-emu/ptrace"
)

// leaveGroup takes a child that is not to be, which t has the number id for, out of the process
// group that it had joined. Its parent is in another one: where nobody else connects the group
// with its session, its end would be SIGHUP to all who are in there, if one is stopped
// (kill_orphaned_pgrp() in kernel/exit.c). A group of its own holds nobody else.
func (c *call) leaveGroup(t *ptrace.Injection, child *ptrace.Stopped, id uintptr) {
	if !c.isLink(child.TID) {
		return
	}
	if t.Last.Kind != ptrace.Event { // else the child is new, and stands
		if _, err := t.Call(unix.SYS_SETPGID, id, 0); !errors.Is(err, unix.EACCES) {
			return // EACCES: it has executed something, and is to do that itself
		}
	}
	if i, err := hold(child); err == nil {
		_, _ = i.Call(unix.SYS_SETPGID, 0, 0)
	}
}

// leaveGroupFirst is leaveGroup for a child that is killed before the target is stopped to reap it.
func (c *call) leaveGroupFirst(child *ptrace.Stopped) {
	if !c.isLink(child.TID) {
		return
	}
	c.buries = true
	t, err := c.stopTarget()
	if err != nil {
		return
	}
	c.leaveGroup(t, child, uintptr(numberFor(t.TID, child.TID)))
	_ = c.letTargetGo(t)
}

// isLink reports whether the child connects a process group with its session that the call has
// not orphaned itself.
func (c *call) isLink(child int) bool {
	own, err := unix.Getpgid(c.check.Target.TGID)
	its, cerr := unix.Getpgid(child)
	return err == nil && cerr == nil && its != own && its != child && !c.orphansGroup(child, its)
}

// orphansGroup reports whether the caller was killed and had connected its group with the
// session, as the child has since. Then the SIGHUP is due.
func (c *call) orphansGroup(child, group int) bool {
	if !c.callerKilled() {
		return false
	}
	parent := c.check.Caller.Status.PPid
	pgid, err := unix.Getpgid(parent)
	if err != nil || pgid == group {
		return false
	}
	sid, err := unix.Getsid(parent)
	its, cerr := unix.Getsid(child)
	return err == nil && cerr == nil && sid == its
}
