// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"bytes"
	"errors"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
	"cloneat-emu/emu/transplant"
)

// Row 20, the limit of the caller's control groups on the number of tasks, is the
// kernel's to judge where the caller clones, and the transplant's (checkRoom) where the
// child comes to these groups later.

// crowded explains the EAGAIN of the target's clone by a full control group: nil if that
// is not the cause. The target's group must not decide, but its clone counts there.
func (c *call) crowded(target int) error {
	ours, err := transplant.Room(c.n.TID)
	if err != nil {
		return ofCaller(err)
	}
	if ours <= 0 {
		return unix.EAGAIN
	}
	theirs, err := transplant.Room(target)
	if err != nil || theirs > 0 {
		return err
	}
	switch same, err := sameGroups(c.n.TID, target); {
	case err != nil:
		return err
	case same:
		return unix.EAGAIN // somebody left in between
	}
	return &transplant.Unsupported{Cause: "pids.max of the target's control group, in which its child is born"}
}

// sameGroups reports whether two threads are in the same control groups.
func sameGroups(a, b int) (bool, error) {
	var lists [2][]byte
	for i, tid := range []int{a, b} {
		d, err := proc.Open(tid)
		if err != nil {
			return false, err
		}
		defer d.Close()
		if lists[i], err = d.ReadFile("cgroup"); err != nil {
			return false, err
		}
	}
	return bytes.Equal(lists[0], lists[1]), nil
}

// full reports whether the caller's control groups have no place left.
func (c *call) full() bool {
	room, err := transplant.Room(c.n.TID)
	return err == nil && room <= 0
}

// needsLess reports whether the next engine may make the child though this one could not:
// the init engine has two helpers that count as well, and the last place is the child's.
// It has the caller's rights, and may not enter the target's root with them (EACCES), and its
// table of descriptors, in which there may be no place (EMFILE).
func (c *call) needsLess(e engine, err error) bool {
	short := errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.EMFILE)
	return e.name == "init" && short && !c.lost && !c.caller.Detached
}
