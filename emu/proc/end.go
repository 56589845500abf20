// SPDX-License-Identifier: Apache-2.0

package proc

import "golang.org/x/sys/unix"

// Exiting reports whether the thread (or the leader of the process) is gone, a zombie, or
// about to be one: a dead leader stays until its group ends, and cannot be traced.
func Exiting(tid int) bool {
	d, err := Open(tid)
	if err != nil {
		return true
	}
	defer d.Close()
	st, err := d.Stat()
	return err != nil || st.Exiting()
}

// Pending reports whether the signal waits for the thread or its process; not where that
// cannot be read. SIGKILL that waits in the middle of an exec leaves a process that looks
// like nothing known, before it ends.
func Pending(tid int, sig unix.Signal) bool {
	if sig == 0 {
		return false
	}
	d, err := Open(tid)
	if err != nil {
		return false
	}
	defer d.Close()
	st, err := d.Status()
	return err == nil && (st.SigPnd|st.ShdPnd)>>(uint(sig)-1)&1 != 0
}
