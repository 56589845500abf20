// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"runtime"
	"sync"
	"time"

	"cloneat-emu/emu/transplant"
	"cloneat-emu/internal/threads"
	"cloneat-emu/ptrace"
)

// alarms are when threads have to be stopped once more, because a call that they were
// interrupted in has no other end (see [ptrace.Stopped.Due]). They are forgotten with the
// server: such a call then lasts as long as if it had begun when it was interrupted.
type alarms struct {
	mu     sync.Mutex
	timers map[int]*time.Timer // by thread
	over   bool
}

// set has ring called at due, in place of what was set for the thread before; the zero
// time is never.
func (a *alarms) set(tid int, due time.Time, ring func(tid int)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t := a.timers[tid]; t != nil {
		t.Stop()
		delete(a.timers, tid)
	}
	if due.IsZero() || a.over {
		return
	}
	if a.timers == nil {
		a.timers = map[int]*time.Timer{}
	}
	a.timers[tid] = time.AfterFunc(time.Until(due), func() {
		a.forget(tid)
		ring(tid)
	})
}

// forget drops what has rung. It may be a newer alarm, which rings all the same.
func (a *alarms) forget(tid int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.timers, tid)
}

// close forgets them all.
func (a *alarms) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.over = true
	for _, t := range a.timers {
		t.Stop()
	}
}

// letGo notes when a thread that was let go has to be stopped again.
func (s *Server) letGo(tid int, due time.Time) { s.alarms.set(tid, due, s.ring) }

// others are what is done for the caller's other threads, and its helpers.
func (c *call) others() transplant.Others {
	return transplant.Others{
		Awaited: c.s.sendBack, LetGo: c.s.letGo, Orphan: c.orphan, Unheard: c.endUnheard,
		Ends: c.leaveGroupFirst, Stuck: c.leaveChild,
		Frozen: c.waitForCaller,
	}
}

// ring ends a thread's call if its time is over. Where the OS thread is still the tracer
// then, it ends with the goroutine: whatever happens, the tracee is let go.
func (s *Server) ring(tid int) {
	runtime.LockOSThread()
	defer func() {
		if ptrace.Tracing() {
			threads.Renew()
			return
		}
		runtime.UnlockOSThread()
	}()
	st, err := statusOf(tid)
	if err != nil {
		return
	}
	if !s.locks.lock(st.Tgid) {
		return // it is frozen: who has it lets it go, and sets the alarm
	}
	defer s.locks.unlock(st.Tgid)
	if !ptrace.InLeg(tid) {
		return // the call has ended, or the number is somebody else's
	}
	r, err := ptrace.Seize(tid, ptrace.Plain)
	if err != nil || r.Interrupt() != nil {
		return
	}
	stopped, err := s.awaitStop(r)
	if err != nil {
		return
	}
	i, err := stopped.Begin()
	if err != nil || i.End() != nil {
		return
	}
	due := i.Due() // of the next call, if the thread was quick
	if i.LetGo() == nil {
		s.letGo(tid, due)
	}
}
