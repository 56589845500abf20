// SPDX-License-Identifier: Apache-2.0

package ptrace

import "time"

// A tracee whose control group is frozen stops for its tracer, and runs on within the kernel, but
// none of its program, nor what is injected into that (get_signal() in kernel/signal.c). In version 1
// it does not even leave a stop that it is in, nor end when it is killed. One that can be left as it
// was is left (standStill); one that cannot, since it has made a child, is waited for (Bound).

// awaitEntry is that of [Running]; a tracee that has to make the call is waited for until it does.
func (i *Injection) awaitEntry(r *Running) (*Stopped, Stop, error) {
	if !i.Bound {
		return r.awaitEntry()
	}
	return i.waitSoon(r)
}

// waitSoon waits for what comes within tens of microseconds if there is a processor for it, by a
// tracee that may be frozen on its way.
func (i *Injection) waitSoon(r *Running) (*Stopped, Stop, error) {
	if s, stop, done, err := r.soon(); done {
		return s, stop, err
	}
	return i.waiter()(r)
}

// WaitTelling is Wait for a tracee that may be frozen: then onStuck, if it is not nil, is called, and
// what that has returned behind the wait.
func (r *Running) WaitTelling(onStuck func() (over func())) (*Stopped, Stop, error) {
	i := &Injection{Stopped: &Stopped{TID: r.TID}, OnStuck: onStuck}
	return i.waiter()(r)
}

// KillChild is Die for a child of the tracee's, which may be unable to end: then OnStuck is called.
func (i *Injection) KillChild(child *Stopped) {
	const soon = time.Second
	if !child.DieWithin(soon) && i.OnStuck != nil {
		defer i.OnStuck()()
	}
	child.Die()
}
