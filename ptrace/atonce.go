// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// A clone that succeeds is told by its event, and needs no stop at its entry and none at
// its exit: a third of the stops that a fork takes. One that fails has no event. What
// follows it in the guard waits then, for as long as it takes a tracer to come, and longer;
// without a system call, which a filter could forbid:
//
//	tracer                          tracee
//	CONT                            clone: fails; spins
//	no stop for so long: INTERRUPT  stops
//	looks where it stands
//
// A clone that is only slow is not disturbed by that: once it has begun, copy_process()
// looks for nothing but a fatal signal.

// goesAtOnce reports whether the clone that was prepared can be made so. clone3(2) is for
// exact pids mostly, whose failing is no exception, and has the tracer try other ways. What
// waits for its vfork child must not have been interrupted: a deadly signal would not end
// that (complete_signal() in kernel/signal.c passes over who has something pending).
func (i *Injection) goesAtOnce(nr, flags uintptr) bool {
	return nr == unix.SYS_CLONE && flags&unix.CLONE_VFORK == 0 && i.slot != nil && !i.Ends && !i.watched && waits.worthwhile()
}

// atOnce runs the tracee to its clone's event. It reports false where the clone has not
// begun, or was set back by the kernel: what a stop does to it, or a tracee that is frozen.
func (i *Injection) atOnce() (there bool, err error) {
	r, err := i.Cont(0)
	if err != nil {
		return false, err
	}
	s, stop, err := r.waitOrInterrupt()
	if err != nil {
		return false, err
	}
	i.Last = s.Last
	switch {
	case stop.Kind == Event:
		return true, nil
	case i.keepsStop(stop):
		i.stops = true
		return false, nil
	case stop.Kind == Signal:
		return false, i.giveWay(stop.Sig)
	}
	return false, i.afterClone()
}

// waitOrInterrupt is Wait, for a tracee that is interrupted if it does not stop soon.
func (r *Running) waitOrInterrupt() (*Stopped, Stop, error) {
	if s, stop, done, err := r.soon(); done {
		return s, stop, err
	}
	if err := r.Interrupt(); err != nil {
		return nil, Stop{}, err
	}
	return r.Wait()
}

// afterClone finds out what became of a clone without an event.
func (i *Injection) afterClone() error {
	regs, err := i.Regs()
	if err != nil {
		return err
	}
	switch i.inGuard(regs) {
	case guardBefore:
		return nil
	case guardSpins:
		if _, err = outcome(regs); err == nil {
			err = fmt.Errorf("pid %d cloned without an event", i.TID)
		}
		return err
	case guardLeft:
		err = i.Unguard()
	}
	return errors.Join(err, i.left(0))
}

// where a tracee stands in the guard of its clone.
type where int

const (
	guardBefore where = iota // it makes the clone when it is resumed
	guardSpins               // the clone has failed
	guardHeals               // it puts the program's registers back
	guardLeft                // it runs its program
)
