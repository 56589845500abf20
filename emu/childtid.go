// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"golang.org/x/sys/unix"

	"cloneat-emu/ptrace"
)

// storeChildTID is CLONE_CHILD_SETTID and, where caller and child share their memory,
// CLONE_CHILD_CLEARTID: the end of a child that is not to be would clear the caller's word. So
// both come when the call cannot fail any more. A child that is gone meanwhile was one, and a bad
// address is ignored, as in clone(2).
func (c *call) storeChildTID(child *ptrace.Stopped) {
	if c.args.Has(unix.CLONE_CHILD_SETTID) {
		if ids, err := nsPID(child.TID); err == nil && len(ids) > 0 {
			storeNumber(child.TID, int64(ids[len(ids)-1]), c.args.ChildTID)
		}
	}
	if c.args.Has(unix.CLONE_CHILD_CLEARTID) && c.args.Has(unix.CLONE_VM) {
		if i, err := hold(child); err == nil {
			_, _ = i.Call(unix.SYS_SET_TID_ADDRESS, uintptr(c.args.ChildTID))
			_ = i.End()
		}
	}
}
