// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// A child in the making enters directories and closes files, and who serves those may be asked,
// and may not answer (FUSE): then it sleeps, for ever maybe, and cannot even be killed. Its tracer
// gives it up after some time. A blocking wait has no bound of its own, and is the fastest: so it is
// ended by a signal. That is one that the Go runtime blocks in no thread and, where nobody profiles
// by it, drops; its handler restarts no call any more (SA_RESTART), once one wait was to end.
//
//	tracer                            goroutine, as long as somebody waits
//	notes that it waits
//	waitid: blocks                    every half second: is it one and the same sleep?
//	                                  if so, after Patience:
//	waitid: EINTR                <──  SIGPROF for the thread
//
// So is the wait of who wants to know that a tracee is frozen (OnStuck), which then goes on. A signal
// that comes before the wait blocks ends nothing: half a second later there is another.

// ErrStuck is the ErrBusy of a child in the making that waits for somebody who does not answer.
// It is still on its way: it cannot be asked anything, and ends when it gets its answer.
var ErrStuck = fmt.Errorf("a file's or directory's server does not answer: %w", ErrBusy)

// Patience is how long others may take to answer.
const Patience = 5 * time.Second

const wakeSignal = unix.SIGPROF

// patient is a wait that can be interrupted.
type patient struct {
	*lookout
	tracer int
	began  time.Time
	woken  atomic.Bool
}

var waiters struct {
	mu      sync.Mutex
	all     map[*patient]bool
	looking bool
}

// waiter is how the end of a tracee's call is waited for.
func (i *Injection) waiter() waiter {
	if i.Hold || i.OnStuck != nil {
		return i.waitPatiently
	}
	return (*Running).Wait
}

// waitPatiently is Wait for a child in the making, and for a tracee that others want to know of.
func (i *Injection) waitPatiently(r *Running) (*Stopped, Stop, error) {
	p := &patient{lookout: i.lookout(), tracer: unix.Gettid()}
	defer p.lookout.end()
	for {
		next, stop, done, err := p.wait(r)
		switch {
		case done:
			return next, stop, err
		case p.stuck():
			return nil, stop, fmt.Errorf("pid %d: %w", r.TID, ErrStuck)
		}
		p.tell()
	}
}

// wait is poll until there is something, or the wait was interrupted.
func (p *patient) wait(r *Running) (s *Stopped, stop Stop, done bool, err error) {
	p.began = time.Now()
	p.woken.Store(false)
	p.begin()
	defer p.end()
	for !done && !p.woken.Load() {
		s, stop, done, err = r.poll(0)
	}
	return s, stop, done, err
}

// begin has the wait looked at now and then, until end.
func (p *patient) begin() {
	waiters.mu.Lock()
	defer waiters.mu.Unlock()
	if waiters.all == nil {
		waiters.all = map[*patient]bool{}
	}
	waiters.all[p] = true
	if !waiters.looking {
		waiters.looking = true
		time.AfterFunc(deepBound, lookAtWaiters)
	}
}

// end is the wait's. Nobody is woken behind it.
func (p *patient) end() {
	waiters.mu.Lock()
	defer waiters.mu.Unlock()
	delete(waiters.all, p)
}

var endsWaits = sync.OnceFunc(func() { restartsNothing(wakeSignal) })

func lookAtWaiters() {
	waiters.mu.Lock()
	defer waiters.mu.Unlock()
	for p := range waiters.all {
		if time.Since(p.began) < deepBound {
			continue
		}
		if p.look(); p.stuck() || p.untold() {
			endsWaits()
			p.woken.Store(true)
			_ = unix.Tgkill(unix.Getpid(), p.tracer, wakeSignal)
		}
	}
	if waiters.looking = len(waiters.all) > 0; waiters.looking {
		time.AfterFunc(deepBound, lookAtWaiters)
	}
}
