// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// How a scope ends: everything is put back, and the tracee let go.

// Forget makes End restore nothing: the tracee gets other registers. What it was sent is its own
// still.
func (i *Injection) Forget() { i.forget = true }

// End puts registers and mask back. Where the tracee was inside a system call
// that the kernel is to restart or to end with EINTR, End brings it back into
// the kernel's signal code first, where that is decided; the tracee is then in
// an interrupt stop again, as when the scope was opened.
func (i *Injection) End() error {
	defer i.closeSlot() // where nobody is left who could have it back
	if i.forget {
		return i.resend()
	}
	return errors.Join(i.restore(), i.resend())
}

func (i *Injection) restore() error {
	if err := i.DropPage(); err != nil {
		return err
	}
	if i.ran && Restarts(i.saved) {
		if err := i.toSignalCode(); err != nil {
			return err
		}
	}
	if i.masked {
		if err := i.SetSigMask(i.mask); err != nil {
			return err
		}
	}
	i.ran, i.masked, i.trapped = false, false, nil
	if err := i.SetRegs(i.saved); err != nil {
		return err
	}
	return i.Unguard()
}

// Rest puts the tracee back for as long as nothing is asked of it: its registers and mask
// are its own, and without its tracer it goes on. The scope stays open, and keeps its slot.
// Precondition: its call restarts whatever comes (ERESTARTNOINTR, see [KeepFromEINTR]), so
// that it need not go to the kernel's signal code for that.
func (i *Injection) Rest() error {
	if i.forget {
		return nil
	}
	if i.masked {
		if err := i.SetSigMask(i.mask); err != nil {
			return err
		}
	}
	i.masked, i.trapped = false, nil
	if err := i.SetRegs(restarted(i.saved)); err != nil {
		return err
	}
	return i.resend()
}

// over ends a scope whose tracee is let go as it stands, with the signal that it met.
func (i *Injection) over(sig unix.Signal) error {
	i.forget, i.Detached = true, true
	i.closeSlot()
	return i.Detach(int(sig))
}

// left is over for a tracee that has not waited for its tracer: it runs its program again, or
// is about to. What was mapped in it stays.
func (i *Injection) left(sig unix.Signal) error {
	return errors.Join(ErrAgain, i.over(sig), i.resend())
}

// toSignalCode moves the tracee from the exit of an injected call to an
// interrupt stop. Precondition: every signal is blocked.
func (i *Injection) toSignalCode() error {
	r := i.running()
	if err := r.Interrupt(); err != nil {
		return err
	}
	for {
		if _, err := i.Cont(0); err != nil {
			return err
		}
		s, stop, err := i.waiter()(r)
		if err != nil {
			return err
		}
		i.Last = s.Last
		switch {
		case stop.Kind == Interrupt || stop.Kind == Group:
			return nil
		case i.keepsStop(stop):
			i.stops = true
		case stop.Kind == Signal && stop.Sig == unix.SIGSTOP:
			i.delivers = stop.Sig // this is the signal code, too
			return nil
		default:
			return fmt.Errorf("pid %d: stop %+v on the way back", i.TID, stop)
		}
	}
}

// LetGo detaches a tracee whose scope is over, with the signal in whose delivery
// it stands: the kernel still knows whether a SIGCONT has overtaken a SIGSTOP
// (JOBCTL_STOP_DEQUEUED).
func (i *Injection) LetGo() error { return i.Detach(int(i.delivers)) }

// MetStop reports whether a SIGSTOP was taken away that has not been sent again.
func (i *Injection) MetStop() bool { return i.stops }

// LeaveStop leaves such a SIGSTOP to heir, another thread of the process.
func (i *Injection) LeaveStop(heir *Injection) {
	heir.stops = heir.stops || i.stops
	i.stops = false
}

// ForgetStop drops it: it was not meant for the tracee.
func (i *Injection) ForgetStop() { i.stops = false }

// resend sends the SIGSTOP that was taken away, if one was; the tracee meets it
// when it is let go. A SIGCONT that came after it has the last word: it is
// pending, since a SIGSTOP that came later would have removed it.
func (i *Injection) resend() error {
	if !i.stops {
		return nil
	}
	i.stops = false
	if pending(i.TID)&(1<<(uint(unix.SIGCONT)-1)) != 0 {
		return nil
	}
	tgid, err := tgidOf(i.TID)
	switch {
	case err != nil:
		tgid = i.TID
	case i.whole:
		return unix.Kill(tgid, unix.SIGSTOP)
	}
	return unix.Tgkill(tgid, i.TID, unix.SIGSTOP)
}
