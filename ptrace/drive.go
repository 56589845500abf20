// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// How a tracee gets from stop to stop within a scope.

// enter brings the tracee to the entry of the call.
func (i *Injection) enter(h heal, nr uintptr, args []uintptr) error {
	if err := i.prepare(h, nr, args); err != nil {
		return err
	}
	return i.toEntry(nr)
}

// prepare lets the tracee make the call when it is resumed.
func (i *Injection) prepare(h heal, nr uintptr, args []uintptr) error {
	insn, err := i.guard(h)
	if err != nil {
		return err
	}
	// First the guard, then the mask, and the other way round at the end: a
	// tracee whose signals are blocked stands where it would unblock them itself.
	i.ran, i.trapped = true, nil
	i.asked = forCall(i.saved, insn, nr, args)
	if err := i.SetRegs(i.asked); err != nil {
		return err
	}
	if h == healClone && !i.KeepsOut && i.page == 0 && i.areas == 0 { // who is let go would keep them
		return i.unblock()
	}
	return i.block()
}

// toEntry runs the tracee to the entry of call nr.
func (i *Injection) toEntry(nr uintptr) error {
	stop, err := i.proceedBy(i.awaitEntry)
	switch {
	case errors.Is(err, ErrBusy):
		return errors.Join(err, i.standStill())
	case err != nil:
		return err
	case stop.Kind == Signal:
		return i.giveWay(stop.Sig)
	case stop.Kind != Syscall:
		return fmt.Errorf("pid %d: expected the entry of call %d, met %+v", i.TID, nr, stop)
	}
	i.entered = true
	return i.checkEntry()
}

// standStill stops a tracee that does not get as far as the entry of a call: a
// frozen one stops for a tracer, yet runs none of its program (kernel:
// get_signal, which traps before it freezes). It is in the signal code then, as when
// the scope was opened.
func (i *Injection) standStill() error {
	r := i.running()
	if err := r.Interrupt(); err != nil {
		return err
	}
	s, _, err := r.AwaitStop(nil)
	if err == nil {
		i.Last, i.ran = s.Last, false
	}
	return err
}

// giveWay lets a signal that came before the call have the tracee: it is let
// go in the signal's delivery, with its own registers, as if it had never been
// stopped. The scope is over, and the work has to begin anew: ErrAgain.
func (i *Injection) giveWay(sig unix.Signal) error {
	if i.wasSent(sig) {
		return i.takeBack()
	}
	if i.masked {
		if err := i.SetSigMask(i.mask); err != nil {
			return err
		}
	}
	r := i.saved
	if i.catches(sig) { // it ends the call, as it was stopped
		r = i.stopped
		i.dropLegs()
	}
	if err := errors.Join(i.SetRegs(r), i.Unguard()); err != nil {
		return err
	}
	i.stops = i.stops && sig != unix.SIGCONT // which came after it
	if err := i.resend(); err != nil {
		return err
	}
	if err := i.over(sig); err != nil {
		return err
	}
	return ErrAgain
}

func (i *Injection) result() (uintptr, error) {
	regs, err := i.Regs()
	if err != nil {
		return 0, err
	}
	return outcome(regs)
}

// proceed runs the tracee to its next system call stop, event or signal. An
// interrupt or group-stop on the way is passed over: a detached tracee whose
// group is stopped goes back into that stop by itself (kernel:
// __ptrace_unlink). Signals come only before a call's entry, and only those
// that could not be blocked.
func (i *Injection) proceed() (Stop, error) { return i.proceedBy(i.waiter()) }

// keepsStop reports whether the tracee has met a SIGSTOP that does not take it out of this
// scope: it is taken away, and sent again at the end. So it is where something is mapped in
// the tracee that has to be unmapped, or KeepStops says so.
func (i *Injection) keepsStop(stop Stop) bool {
	return stop.Kind == Signal && stop.Sig == unix.SIGSTOP && (i.Hold || i.Ends || i.keeps || i.stood || i.page != 0 || i.areas > 0)
}

// KeepStops has a SIGSTOP wait for the end of the scope, until the function that it returns is
// called: for what has to be brought to its end once it was begun.
func (i *Injection) KeepStops() (over func()) {
	was := i.keeps
	i.keeps = true
	return func() { i.keeps = was }
}

// waiter waits for a tracee's next stop.
type waiter func(*Running) (*Stopped, Stop, error)

func (i *Injection) proceedBy(wait waiter) (Stop, error) {
	for {
		r, err := i.Syscall(0)
		if err != nil {
			return Stop{}, err
		}
		s, stop, err := wait(r)
		if err != nil {
			return Stop{}, err
		}
		i.Last = s.Last
		switch {
		case i.keepsStop(stop):
			i.stops = true
		case stop.Kind == Syscall || stop.Kind == Event || stop.Kind == Signal:
			return stop, nil
		}
	}
}
