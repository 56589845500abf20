// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"fmt"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
	"cloneat-emu/ptrace"
)

// A signal to the caller's process group that comes while the child is made is for both, or
// comes before the child: fork(2) begins anew where a signal waits, and later hands it to the
// child (copy_process() in kernel/fork.c, "multiprocess"). Here the child is in that group from
// its birth or soon after. What waits for the caller until then may miss the child: the call
// begins anew, after the signal's delivery. That is looked at before the child is born, since
// the end of one is known to threads of the target that cannot be stopped, and once more when it is in the
// group.

// maxMissed is how often a call begins anew for that: whoever sends without end gets a child
// that misses one.
const maxMissed = 3

// errMissed is what is done about it.
var errMissed = fmt.Errorf("a signal to the caller's process group, or a change of groups: %w", errAnew)

// missed says errMissed if the child may miss a signal.
func (c *call) missed() error {
	if c.s.patience.tried(c.n.TID) >= maxMissed {
		return nil
	}
	st, err := c.check.Caller.Thread.Status()
	if err != nil {
		return errCallerGone
	}
	waiting := acts(st) &^ c.caller.Mask()
	if c.caller.MetStop() || waiting != 0 && c.forGroup(waiting) {
		return errMissed
	}
	return nil
}

// acts are the signals that wait for all of the process and are not ignored. A SIGSTOP that the
// caller met in a call of ours has been sent again, to the thread.
func acts(st *proc.Status) uint64 {
	return (st.ShdPnd | st.SigPnd&setOf(unix.SIGSTOP)) &^ (st.SigIgn | ignored&^st.SigCgt)
}

// ignored are the signals that nobody notices who does not catch them. (A SIGCONT has acted when
// it waits.)
var ignored = setOf(unix.SIGCHLD, unix.SIGCONT, unix.SIGWINCH, unix.SIGURG)

// forGroup reports whether one of the caller's waiting signals may have been sent to its group.
// One that is not in the queue may: nobody knows.
func (c *call) forGroup(waiting uint64) bool {
	queued, err := c.caller.Queued()
	if err != nil {
		return false // it is gone
	}
	unknown := waiting
	for _, q := range queued {
		bit := setOf(q.Sig)
		if waiting&bit != 0 && !sentToOne(q) {
			return true
		}
		unknown &^= bit
	}
	return unknown != 0
}

// sentToOne reports whether a signal came in a way that leads to one process: by sigqueue(3), a
// message queue or a timer, which could come faster than a child is made. All of that has a
// negative code (include/uapi/asm-generic/siginfo.h), but for setitimer(2) and the end of a child.
func sentToOne(q ptrace.Queued) bool {
	const user, kernel = 0, 0x80 // SI_USER, SI_KERNEL
	switch q.Sig {
	case unix.SIGALRM, unix.SIGVTALRM, unix.SIGPROF:
		return q.Code < user || q.Code == kernel
	case unix.SIGCHLD:
		return q.Code != user
	}
	return q.Code < user
}
