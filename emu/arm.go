package emu

import (
	"time"

	"cloneat-emu/emu/proc"
	"cloneat-emu/ptrace"
)

// A tracee runs its own program until it is stopped. So it is seized without
// any option that would change what the program does: its children are not
// attached, and its filters hold. In the stop it is armed for what is injected.

// arm sets the options that injected calls need: to be attached to what they
// clone, and to pass the tracee's filters. The latter is not everybody's right
// (CAP_SYS_ADMIN, no filter of our own): without it, calls that a filter forbids
// fail. A tracee that is gone is found out by the next request.
func (s *Server) arm(t *ptrace.Stopped) {
	if !s.noSuspend.Load() {
		err := t.SetOptions(ptrace.ForkOptions | ptrace.SuspendSeccomp)
		if err == nil || ptrace.Gone(err) {
			return
		}
		s.noSuspend.Store(true)
	}
	_ = t.SetOptions(ptrace.ForkOptions)
}

// busyBound is how long a thread that cannot be stopped may take: one that waits
// for its vfork child, sleeps uninterruptibly or is frozen. One that only waits
// for a processor gets slowBound.
const (
	busyBound = time.Second
	slowBound = 30 * time.Second
)

// awaitStop waits for an interrupted thread. Signals on the way are its own: it
// gets them.
func (s *Server) awaitStop(r *ptrace.Running) (*ptrace.Stopped, error) {
	for end := time.Now().Add(slowBound); ; {
		stopped, stop, err := r.WaitFor(busyBound, func() { s.sendBack(r.TID) })
		switch {
		case err == nil && stop.Kind == ptrace.Signal:
			if r, err = stopped.Cont(int(stop.Sig)); err != nil {
				return nil, err
			}
		case err == nil:
			return stopped, nil
		case ptrace.Gone(err), time.Now().After(end), uninterruptible(r.TID):
			return nil, err
		}
	}
}

// uninterruptible reports whether the thread sleeps so.
func uninterruptible(tid int) bool {
	d, err := proc.Open(tid)
	if err != nil {
		return true
	}
	defer d.Close()
	st, err := d.Stat()
	return err != nil || st.State == 'D'
}
