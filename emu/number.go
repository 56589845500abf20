// SPDX-License-Identifier: Apache-2.0

package emu

import "cloneat-emu/emu/proc"

// numberFor translates a process's number, as the supervisor sees it, into the
// active pid namespace of the thread viewer: NSpid of /proc/PID/status lists the
// numbers from the supervisor's namespace down, and the viewer's is as deep as
// its own list is long. 0 if the process is not to be seen there.
func numberFor(viewer, tid int) int64 {
	own, err := nsPID(viewer)
	if err != nil {
		return 0
	}
	return numberAt(len(own)-1, tid)
}

// numberAt is a process's number that many namespaces below the supervisor's.
func numberAt(level, tid int) int64 {
	if level == 0 {
		return int64(tid)
	}
	ids, err := nsPID(tid)
	if err != nil || len(ids) <= level {
		return 0
	}
	return int64(ids[level])
}

// numberForCaller is numberFor the calling thread.
func (c *call) numberForCaller(tid int) int64 {
	return numberAt(len(c.check.Caller.Status.NSpid)-1, tid)
}

// nsPID lists the thread's numbers, the supervisor's namespace first.
func nsPID(tid int) ([]int, error) {
	st, err := statusOf(tid)
	if err != nil {
		return nil, err
	}
	return st.NSpid, nil
}

// statOf reads the thread's stat.
func statOf(tid int) (*proc.Stat, error) {
	d, err := proc.Open(tid)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Stat()
}

// statusOf reads the thread's status.
func statusOf(tid int) (*proc.Status, error) {
	d, err := proc.Open(tid)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Status()
}

// groupOf is the process that the thread belongs to; 0 if it is gone.
func groupOf(tid int) int {
	st, err := statusOf(tid)
	if err != nil {
		return 0
	}
	return st.Tgid
}
