// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"time"

	"golang.org/x/sys/unix"

	"cloneat-emu/ptrace"
)

// untilExec is CLONE_VFORK where the kernel knows nothing of it: the child
// stays traced until it execs or exits, and the caller stopped as long, but for
// what ends it (see callerLeaves).
func (c *call) untilExec(child *ptrace.Stopped, id int64) error {
	// As many as like may wait: no room is taken, and no descriptor.
	c.closeCaller()
	c.check.Close()
	c.check.Caller.Close()
	c.leaveRoom()
	// Meanwhile the caller looks as if it slept: /proc shows its own mask.
	if err := c.released(c.caller.End()); err != nil { // killed, and that is the end of its wait
		c.caller.Detached = true
		return goneIsFine(c.released(child.Detach(0)))
	}
	c.unlock() // a stopped caller keeps still by itself
	options := unix.PTRACE_O_TRACEEXEC | unix.PTRACE_O_TRACEEXIT | unix.PTRACE_O_EXITKILL
	if err := child.SetOptions(options); err != nil {
		return goneIsFine(err)
	}
	r, err := child.Cont(0)
	for err == nil {
		var stop ptrace.Stop
		if child, stop, err = c.nextStop(r, id); err != nil {
			break
		}
		switch {
		case stop.Kind == ptrace.Event: // it has exec'ed, or is about to end
			return goneIsFine(c.released(child.Detach(0)))
		case stop.Kind == ptrace.Signal:
			r, err = child.Cont(int(stop.Sig))
		case c.caller.Detached: // nobody waits any more
			return goneIsFine(c.released(child.Detach(0)))
		case stop.Kind == ptrace.Group:
			r, err = child.Listen()
		default:
			r, err = child.Cont(0)
		}
	}
	return goneIsFine(err)
}

// nextStop waits for the child of a vfork, and stops it where the caller leaves
// before. It has to look again and again, since a tracer is not told what comes
// for a tracee that is stopped already: soon at first, later a hundred times a
// second.
func (c *call) nextStop(r *ptrace.Running, id int64) (*ptrace.Stopped, ptrace.Stop, error) {
	for since := time.Now(); !c.caller.Detached; {
		child, stop, done, err := r.Poll()
		switch {
		case done:
			return child, stop, err
		case !c.callerLeaves(id):
			time.Sleep(min(time.Since(since)/8, 10*time.Millisecond))
		default:
			if err := r.Interrupt(); err != nil {
				return nil, stop, err
			}
		}
	}
	return r.Wait()
}

// callerLeaves lets the caller go where something ends it: it was killed, or a
// fatal signal waits for it, which it meets when it returns. All others wait, as
// they do in the kernel (kernel/fork.c, wait_for_vfork_done()).
func (c *call) callerLeaves(id int64) bool {
	_, _, ended, err := ptrace.Adopt(c.n.TID).Poll()
	if (!ended || err == nil) && !fatalWaits(c.n.TID) {
		return false
	}
	c.letGo(verdict{value: id})
	c.caller.Detached = true
	return true
}

// fatalWaits reports whether a signal is pending that ends the wait of a killable
// task: sent to one that is not traced, it would be SIGKILL to all of its process
// (kernel/signal.c, complete_signal()).
func fatalWaits(tid int) bool {
	st, err := statusOf(tid)
	if err != nil {
		return false
	}
	if n := len(st.NSpid); n > 0 && st.NSpid[n-1] == 1 {
		return false // an init has no default actions (SIGNAL_UNKILLABLE)
	}
	return (st.SigPnd|st.ShdPnd)&^(st.SigBlk|st.SigIgn|st.SigCgt|notKilling) != 0
}

// notKilling are the signals that by default are ignored, stop, continue, or
// dump core, which is not done from within a call.
var notKilling = setOf(unix.SIGCHLD, unix.SIGCONT, unix.SIGWINCH, unix.SIGURG,
	unix.SIGSTOP, unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU,
	unix.SIGQUIT, unix.SIGILL, unix.SIGTRAP, unix.SIGABRT, unix.SIGFPE,
	unix.SIGSEGV, unix.SIGBUS, unix.SIGSYS, unix.SIGXCPU, unix.SIGXFSZ)

// setOf is a signal set as /proc shows it, bit N-1 for signal N.
func setOf(sigs ...unix.Signal) (set uint64) {
	for _, s := range sigs {
		set |= 1 << (s - 1)
	}
	return set
}

// goneIsFine: a child that ended is an end like any other.
func goneIsFine(err error) error {
	if ptrace.Gone(err) {
		return nil
	}
	return err
}
