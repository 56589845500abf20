// SPDX-License-Identifier: Apache-2.0

package emu

import "cloneat-emu/ptrace"

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

// awaitStop waits for an interrupted thread. Signals on the way are its own: it
// gets them.
func (s *Server) awaitStop(r *ptrace.Running) (*ptrace.Stopped, error) {
	for {
		stopped, stop, err := r.AwaitStop(func() { s.sendBack(r.TID) })
		if err != nil || stop.Kind != ptrace.Signal {
			return stopped, err
		}
		if r, err = stopped.Cont(int(stop.Sig)); err != nil {
			return nil, err
		}
	}
}
