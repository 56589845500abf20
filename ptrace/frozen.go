// SPDX-License-Identifier: Apache-2.0

package ptrace

import "errors"

// A tracee whose control group is frozen stops for its tracer, and runs on within the kernel, but
// none of its program, nor what is injected into that (get_signal() in kernel/signal.c). One that
// can be left as it was is left (standStill); one that cannot, since it has made a child, is waited for.

// awaitEntry is that of [Running]; a tracee that has to make the call is waited for until it does.
func (i *Injection) awaitEntry(r *Running) (*Stopped, Stop, error) {
	if i.OnStuck == nil {
		return r.awaitEntry()
	}
	return i.waitForThaw(r)
}

// waitForThaw is Wait for a tracee that may be frozen on its way.
func (i *Injection) waitForThaw(r *Running) (*Stopped, Stop, error) {
	s, stop, err := r.awaitEntry()
	if !errors.Is(err, ErrBusy) {
		return s, stop, err
	}
	if i.OnStuck != nil {
		defer i.OnStuck()()
	}
	return r.Wait()
}

// lookout finds out whether a tracee that is looked at again and again is frozen on its way.
type lookout struct {
	tid     int
	onStuck func() (over func()) // or nil: nobody wants to know
	before  sleep
	known   bool
}

func (i *Injection) lookout() *lookout { return &lookout{tid: i.TID, onStuck: i.OnStuck} }

// found reports, once, that the tracee sleeps the same sleep for long, behind the n-th look.
func (l *lookout) found(n int) bool {
	const often = 1000 // half a second or more
	if l.onStuck == nil || l.known || n%often != often-1 {
		return false
	}
	now := sleepOf(l.tid)
	l.known = now.state != 'R' && now == l.before
	l.before = now
	return l.known
}
