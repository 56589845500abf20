// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"slices"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
	"cloneat-emu/ptrace"
)

// A tracee that is killed in its clone may have made the child, which the kernel has attached,
// and die before the event that tells of it:
//
//	tracee                                tracer
//	copy_process(): the child is traced
//	is killed
//	ptrace_event(): does not stop         waits: the tracee is gone
//
// (ptrace_stop() in kernel/signal.c.) The child is found by its tracer.

// unheard finds the process that thread parent, which is gone, has made so; nil if there is none.
func (c *call) unheard(parent int) *ptrace.Stopped {
	pids, err := proc.Processes()
	if err != nil {
		return nil
	}
	for _, pid := range pids {
		if pid == parent || pid == c.rebuilt || slices.Contains(c.locked, pid) { // whom this thread knows
			continue
		}
		if st, err := statusOf(pid); err == nil && st.TracerPid == unix.Gettid() {
			return &ptrace.Stopped{TID: pid}
		}
	}
	return nil
}

// endUnheard ends that one, and nobody hears of it.
func (c *call) endUnheard(parent int) {
	if child := c.unheard(parent); child != nil {
		c.orphan(child)
	}
}

// liveThread is a thread of the process that could be stopped, or 0 if its end is under way.
func liveThread(pid int) int {
	d, err := proc.Open(pid)
	if err != nil {
		return 0
	}
	defer d.Close()
	tids, err := d.Threads()
	if err != nil {
		return 0
	}
	for _, tid := range tids {
		if canStop(d, tid) {
			return tid
		}
	}
	return 0
}

func canStop(process *proc.Dir, tid int) bool {
	th, err := process.Thread(tid)
	if err != nil {
		return false
	}
	defer th.Close()
	st, err := th.Stat()
	return err == nil && !st.Exiting() && !st.Worker() && !proc.Pending(tid, unix.SIGKILL)
}
