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
//	                                  if so, after Patience: O_NONBLOCK for the pidfd,
//	waitid begins anew: EAGAIN   <──  SIGURG for the thread
//
// So is the wait of who wants to know that a tracee is frozen (OnStuck), which then goes on.

// ErrStuck is the ErrBusy of a child in the making that waits for somebody who does not answer.
// It is still on its way: it cannot be asked anything, and ends when it gets its answer.
var ErrStuck = fmt.Errorf("a file's or directory's server does not answer: %w", ErrBusy)

// Patience is how long others may take to answer.
const Patience = 5 * time.Second

// wakeSignal is the one by which the Go runtime preempts. Its handler has SA_RESTART.
const wakeSignal = unix.SIGURG

// patient is a wait that can be interrupted.
type patient struct {
	*lookout
	pidfd  int
	tracer int
	began  time.Time
}

var waiters struct {
	mu      sync.Mutex
	all     map[*patient]bool
	looking bool
}

// waitPatiently is Wait for a child in the making, and for a tracee that others want to know of.
func (i *Injection) waitPatiently(r *Running) (*Stopped, Stop, error) {
	l := i.lookout()
	defer l.end()
	if !i.openPIDFD() {
		return r.waitBy(l)
	}
	p := &patient{lookout: l, pidfd: int(i.pidfd.Fd()), tracer: unix.Gettid()}
	for {
		next, stop, done, err := p.wait(r)
		switch {
		case done:
			if err != nil {
				i.closePIDFD()
			}
			return next, stop, err
		case l.stuck():
			return nil, stop, fmt.Errorf("pid %d: %w", r.TID, ErrStuck)
		}
		l.tell()
		if _, err := unix.FcntlInt(i.pidfd.Fd(), unix.F_SETFL, 0); err != nil {
			return nil, stop, err
		}
	}
}

// waitBy is for a tracee that cannot be waited for by a pidfd: a thread, before Linux 6.9.
func (r *Running) waitBy(l *lookout) (*Stopped, Stop, error) {
	for i := 0; ; i++ {
		next, stop, done, err := r.poll(unix.WNOHANG)
		switch {
		case done:
			return next, stop, err
		case l.stuck():
			return nil, stop, fmt.Errorf("pid %d: %w", r.TID, ErrStuck)
		}
		l.tell()
		l.pause(i)
	}
}

// openPIDFD is for the first of the waits, and reports whether there is a pidfd. The signal may have
// been blocked when the process began.
func (s *Stopped) openPIDFD() bool {
	if s.pidfd != nil || s.noPIDFD {
		return s.pidfd != nil
	}
	fd, err := unix.PidfdOpen(s.TID, 0)
	if err != nil {
		fd, err = unix.PidfdOpen(s.TID, unix.PIDFD_THREAD)
	}
	if s.noPIDFD = err != nil; s.noPIDFD {
		return false
	}
	s.pidfd = os.NewFile(uintptr(fd), "pidfd")
	var set unix.Sigset_t
	set.Val[0] = 1 << (wakeSignal - 1)
	_ = unix.PthreadSigmask(unix.SIG_UNBLOCK, &set, nil) // a set that is one
	return true
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
	if i.Hold || i.OnStuck != nil {
		return i.waitPatiently
	}
	return (*Running).Wait
}

// wait is poll until there is something, or the wait was interrupted.
func (p *patient) wait(r *Running) (s *Stopped, stop Stop, done bool, err error) {
	p.began = time.Now()
	p.begin()
	defer p.end()
	for !done && !errors.Is(err, unix.EAGAIN) {
		s, stop, done, err = r.pollBy(unix.P_PIDFD, p.pidfd, 0)
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

func lookAtWaiters() {
	waiters.mu.Lock()
	defer waiters.mu.Unlock()
	for p := range waiters.all {
		if time.Since(p.began) < deepBound {
			continue
		}
		if p.look(); p.stuck() || p.untold() {
			_, _ = unix.FcntlInt(uintptr(p.pidfd), unix.F_SETFL, unix.O_NONBLOCK)
			_ = unix.Tgkill(unix.Getpid(), p.tracer, wakeSignal)
		}
	}
	if waiters.looking = len(waiters.all) > 0; waiters.looking {
		time.AfterFunc(deepBound, lookAtWaiters)
	}
}
