// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A child in the making enters directories and closes files, and who serves those may be asked,
// and may not answer (FUSE): then it sleeps, for ever maybe, and cannot even be killed. Its tracer
// gives it up after some time. A blocking wait has no bound of its own, and is the fastest: so it is
// one by a pidfd, whose flags the kernel looks at when a wait begins, and when it begins anew behind
// a signal. That is the Go runtime's own, which it sends to its threads as it likes.
//
//	tracer                            goroutine, as long as somebody waits
//	notes that it waits
//	waitid(P_PIDFD): blocks           every half second: is it one and the same sleep?
//	                                  after Patience: O_NONBLOCK for the pidfd,
//	waitid begins anew: EAGAIN   <──  SIGURG for the thread

// ErrStuck is the ErrBusy of a child in the making that waits for somebody who does not answer.
// It is still on its way: it cannot be asked anything, and ends when it gets its answer.
var ErrStuck = fmt.Errorf("a file's or directory's server does not answer: %w", ErrBusy)

// Patience is how long others may take to answer.
const Patience = 5 * time.Second

// wakeSignal is the one by which the Go runtime preempts. Its handler has SA_RESTART.
const wakeSignal = unix.SIGURG

// patient is a wait that can be given up.
type patient struct {
	pidfd  int
	tracer int
	tracee int
	since  time.Time
	same   sameSleep
	frozen func() (over func()) // nil: nobody wants to know
	over   func()
}

var waiters struct {
	mu      sync.Mutex
	all     map[*patient]bool
	looking bool
}

// waitPatiently is Wait for a child in the making.
func (i *Injection) waitPatiently(r *Running) (*Stopped, Stop, error) {
	if i.pidfd == nil && i.openPIDFD() != nil {
		return r.Wait()
	}
	p := &patient{pidfd: int(i.pidfd.Fd()), tracer: unix.Gettid(), tracee: r.TID, since: time.Now(), frozen: i.OnStuck}
	p.begin()
	defer p.end()
	for {
		next, stop, done, err := r.pollBy(unix.P_PIDFD, p.pidfd, 0)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return nil, stop, fmt.Errorf("pid %d: %w", r.TID, ErrStuck)
		case done:
			if err != nil {
				i.closePIDFD()
			}
			return next, stop, err
		}
	}
}

// openPIDFD is for the first of the waits. The signal may have been blocked when the process began.
func (s *Stopped) openPIDFD() error {
	fd, err := unix.PidfdOpen(s.TID, 0)
	if err != nil {
		return err
	}
	s.pidfd = os.NewFile(uintptr(fd), "pidfd")
	var set unix.Sigset_t
	set.Val[0] = 1 << (wakeSignal - 1)
	return unix.PthreadSigmask(unix.SIG_UNBLOCK, &set, nil)
}

// closePIDFD is for a tracee that is not waited for any more.
func (s *Stopped) closePIDFD() {
	if s.pidfd != nil {
		_ = s.pidfd.Close()
		s.pidfd = nil
	}
}

// waiter is how the end of a tracee's call is waited for.
func (i *Injection) waiter() waiter {
	if i.Hold {
		return i.waitPatiently
	}
	return (*Running).Wait
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
	delete(waiters.all, p)
	waiters.mu.Unlock()
	if p.over != nil {
		p.over()
	}
}

// tellFrozen says, once, that the tracee seems to be frozen. Precondition: waiters.mu is held.
func (p *patient) tellFrozen() {
	if p.same.frozen && p.over == nil && p.frozen != nil {
		p.over = p.frozen()
	}
}

func lookAtWaiters() {
	waiters.mu.Lock()
	defer waiters.mu.Unlock()
	for p := range waiters.all {
		if time.Since(p.since) > deepBound && p.same.tooLong(p.tracee) {
			_, _ = unix.FcntlInt(uintptr(p.pidfd), unix.F_SETFL, unix.O_NONBLOCK)
			_ = unix.Tgkill(unix.Getpid(), p.tracer, wakeSignal)
		}
		p.tellFrozen()
	}
	if waiters.looking = len(waiters.all) > 0; waiters.looking {
		time.AfterFunc(deepBound, lookAtWaiters)
	}
}
