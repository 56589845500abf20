// SPDX-License-Identifier: Apache-2.0

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
// a thread which is to stop as a target has to be sent back into its call before
// it can:
//
//	worker A (target X)        worker B             X
//	                           RECV of X's call     waits
//	                           add(X); lock(X): waits for A
//	INTERRUPT X
//	take(X), answer: restart                        leaves the wait,
//	X stops; ...; DETACH                            stops, calls again later
//	unlock(X)                  take(X): not there, drops the call
//
// Only the thread that interrupted may answer so, while it lives: the code that
// restarts a call runs where a signal or a tracer's interrupt is pending, and
// nowhere else; without one the program would see the number 513.
type waiting struct {
	mu  sync.Mutex
	ids map[int]uint64 // thread: notification
}

// add notes a received call.
func (w *waiting) add(tid int, id uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ids == nil {
		w.ids = map[int]uint64{}
	}
	w.ids[tid] = id
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

// takeAny removes whatever call the thread waits in.
func (w *waiting) takeAny(tid int) (id uint64, waits bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	id, waits = w.ids[tid]
	delete(w.ids, tid)
	return id, waits
}

// sendBack is for a thread that this worker has interrupted: if it waits in a
// call, it leaves it, and so gets to the stop.
func (s *Server) sendBack(tid int) {
	if id, waits := s.waiting.takeAny(tid); waits {
		s.sendRestart(id)
	}
}

// sendRestart sends an interrupted caller back to make its call again.
func (s *Server) sendRestart(id uint64) {
	_ = listen.Send(s.fd, id, 0, errnoRestart) // a caller that is gone needs none
}
