package emu

import (
	"sync"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/listen"
)

// errnoRestart is ERESTARTNOINTR: a call that is answered with it begins again
// without the program's notice, whatever signals do (include/linux/errno.h).
const errnoRestart = unix.Errno(513)

// waiting knows which threads wait in a call that was received and is not yet
// in a worker's hands. The wait is killable only (WAIT_KILLABLE_RECV), so that
// a thread which is wanted as a target has to be sent back into its call before
// it can be stopped.
//
//	worker A (target X)        receiver             X
//	                           RECV of X's call     waits
//	INTERRUPT X
//	want(X)
//	                           add(X): wanted
//	                           answer: restart      leaves the wait,
//	done(X)                                         stops, calls again later
//
// Only an interrupted thread may be answered so: the code that restarts a call
// runs where a signal or an interrupt is pending, and nowhere else.
type waiting struct {
	mu     sync.Mutex
	ids    map[int]uint64 // thread: notification
	wanted map[int]int    // thread: how many want it stopped
}

// add notes a received call and reports whether its thread is wanted.
func (w *waiting) add(tid int, id uint64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.wanted[tid] > 0 {
		return true
	}
	if w.ids == nil {
		w.ids = map[int]uint64{}
	}
	w.ids[tid] = id
	return false
}

// take removes the call with this id and reports whether it was still there.
func (w *waiting) take(tid int, id uint64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if got, ok := w.ids[tid]; !ok || got != id {
		return false
	}
	delete(w.ids, tid)
	return true
}

// want says that tid was interrupted and has not stopped yet, until done is
// called. It returns the notification that tid waits in, if there is one; it is then no
// worker's any more.
func (w *waiting) want(tid int) (id uint64, waits bool, done func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.wanted == nil {
		w.wanted = map[int]int{}
	}
	w.wanted[tid]++
	id, waits = w.ids[tid]
	delete(w.ids, tid)
	return id, waits, func() { w.unwant(tid) }
}

func (w *waiting) unwant(tid int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.wanted[tid]--; w.wanted[tid] == 0 {
		delete(w.wanted, tid)
	}
}

// wantStopped is for a thread that has been interrupted: if it waits in a call,
// it is sent back, and so gets to the stop.
func (s *Server) wantStopped(tid int) (done func()) {
	id, waits, done := s.waiting.want(tid)
	if waits {
		s.sendRestart(id)
	}
	return done
}

// sendRestart sends the caller back to make its call again.
func (s *Server) sendRestart(id uint64) {
	_ = listen.Send(s.fd, id, 0, errnoRestart) // a caller that is gone needs none
}
