package ptrace

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// blockAll is a mask of every signal that can be blocked, as the kernel shows it.
const blockAll = ^uint64(1<<(uint(unix.SIGKILL)-1) | 1<<(uint(unix.SIGSTOP)-1))

// Injection is a scope in which a stopped tracee makes calls that its program
// did not ask for. Begin one, `defer End()`.
type Injection struct {
	*Stopped
	saved    Regs        // what End puts back
	stopped  Regs        // as the tracee was stopped
	mask     uint64      // the tracee's own blocked signals
	now      uint64      // what is blocked now
	masked   bool        // mask was replaced and must be put back
	insn     uint64      // a `syscall` instruction in the tracee
	ran      bool        // a call was made: registers and kind of stop differ
	stops    bool        // a SIGSTOP was taken away and must be sent again
	delivers unix.Signal // the signal in whose delivery End left the tracee
	forget   bool        // End restores nothing
	slot     *slot       // where calls run, once one did
	page     uintptr     // for arguments, where there is no room for a slot
	heal     heal        // what slot's code does
	trapped  *Batch      // the tracee stands behind this one's trap

	// Hold keeps the tracee in hand when a SIGSTOP reaches it between calls:
	// for a child in the making, which must never run as it is.
	Hold bool
	// Ends makes the tracee exit if the tracer dies under a call: a thread of
	// the caller's that works for us. It cannot have PTRACE_O_EXITKILL, which
	// would kill the process.
	Ends bool
	// Detached says that the tracee was let go because a signal came first.
	Detached bool
}

// Begin opens the scope. Precondition: the tracee is in an interrupt stop or
// its first stop (Kind Interrupt or Group).
func (s *Stopped) Begin() (*Injection, error) {
	regs, err := s.Regs()
	if err != nil {
		return nil, err
	}
	return s.BeginWith(regs)
}

// BeginWith is Begin for who knows the tracee's registers already.
func (s *Stopped) BeginWith(regs Regs) (*Injection, error) {
	if err := check64(s.TID, regs); err != nil {
		return nil, err
	}
	insn, err := s.syscallInsn(regs)
	if err != nil {
		return nil, err
	}
	if _, in := InSyscall(regs); !in {
		if regs, err = s.leaveCriticalSection(regs); err != nil {
			return nil, err
		}
	}
	mask, err := s.SigMask()
	if err != nil {
		return nil, err
	}
	// The last step: what it makes in the tracee is used.
	return &Injection{Stopped: s, saved: s.goOn(regs), stopped: regs, insn: insn, mask: mask, now: mask}, nil
}

// block keeps every signal out while calls are injected, or a call would eat
// one. It waits for the first call: a tracee that is only stopped keeps its mask,
// whatever becomes of its tracer. A tracee inside a call that saved a mask to put back afterwards
// (sigsuspend, ppoll, pselect, epoll_pwait) keeps its mask: PTRACE_SETSIGMASK
// would throw the saved one away. See keepsMask.
func (i *Injection) block() error {
	if keepsMask(i.saved) || i.now == blockAll {
		return nil
	}
	i.masked = true
	return i.SetSigMask(blockAll)
}

// SetSigMask is that of [Stopped], for a mask that is not in force already.
func (i *Injection) SetSigMask(mask uint64) error {
	if mask == i.now {
		return nil
	}
	err := i.Stopped.SetSigMask(mask)
	if err == nil {
		i.now = mask
	}
	return err
}

// Saved returns the registers that End will put back.
func (i *Injection) Saved() Regs { return i.saved }

// SetSaved changes what End will put back: the result of the tracee's call.
func (i *Injection) SetSaved(r Regs) { i.saved = r }

// Mask returns the tracee's own blocked signals.
func (i *Injection) Mask() uint64 { return i.mask }

// Call makes the tracee run call nr. The error is the call's own unix.Errno,
// or one for which Gone is true.
func (i *Injection) Call(nr uintptr, args ...uintptr) (uintptr, error) {
	if err := i.enter(healCall, nr, args); err != nil {
		return 0, err
	}
	stop, err := i.proceed()
	if err != nil {
		return 0, err
	}
	if stop.Kind != Syscall {
		return 0, fmt.Errorf("pid %d: call %d met stop %+v", i.TID, nr, stop)
	}
	return i.result()
}

// enter brings the tracee to the entry of the call.
func (i *Injection) enter(h heal, nr uintptr, args []uintptr) error {
	insn, err := i.guard(h)
	if err != nil {
		return err
	}
	// First the guard, then the mask, and the other way round at the end: a
	// tracee whose signals are blocked stands where it would unblock them itself.
	i.ran, i.trapped = true, nil
	if err := i.SetRegs(forCall(i.saved, insn, nr, args)); err != nil {
		return err
	}
	if err := i.block(); err != nil {
		return err
	}
	return i.toEntry(nr)
}

// toEntry runs the tracee to the entry of call nr.
func (i *Injection) toEntry(nr uintptr) error {
	stop, err := i.proceedBy((*Running).awaitEntry)
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
	return nil
}

// standStill stops a tracee that does not get as far as the entry of a call: a
// frozen one stops for a tracer, yet runs none of its program (kernel:
// get_signal, which traps before it freezes). It is in the signal code then, as when
// the scope was opened.
func (i *Injection) standStill() error {
	r := &Running{TID: i.TID}
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
	i.forget, i.Detached = true, true
	if err := i.Detach(int(sig)); err != nil {
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
func (i *Injection) proceed() (Stop, error) { return i.proceedBy((*Running).Wait) }

func (i *Injection) proceedBy(wait func(*Running) (*Stopped, Stop, error)) (Stop, error) {
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
		case stop.Kind == Signal && stop.Sig == unix.SIGSTOP && i.Hold:
			i.stops = true
		case stop.Kind == Syscall || stop.Kind == Event || stop.Kind == Signal:
			return stop, nil
		}
	}
}

// Forget makes End restore nothing: the tracee gets other registers.
func (i *Injection) Forget() { i.forget = true }

// End puts registers and mask back. Where the tracee was inside a system call
// that the kernel is to restart or to end with EINTR, End brings it back into
// the kernel's signal code first, where that is decided; the tracee is then in
// an interrupt stop again, as when the scope was opened.
func (i *Injection) End() error {
	if i.forget {
		return nil
	}
	err := i.restore()
	if i.stops {
		err = errors.Join(err, resend(i.TID))
	}
	return err
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

// toSignalCode moves the tracee from the exit of an injected call to an
// interrupt stop. Precondition: every signal is blocked.
func (i *Injection) toSignalCode() error {
	r := &Running{TID: i.TID}
	if err := r.Interrupt(); err != nil {
		return err
	}
	for {
		if _, err := i.Cont(0); err != nil {
			return err
		}
		s, stop, err := r.Wait()
		if err != nil {
			return err
		}
		i.Last = s.Last
		switch {
		case stop.Kind == Interrupt || stop.Kind == Group:
			return nil
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

// Delivers reports whether the tracee stands in the delivery of a signal, which
// must be let go before anything else.
func (i *Injection) Delivers() bool { return i.delivers != 0 }

// resend sends the SIGSTOP that was taken away under a batch; the tracee meets it
// when it is let go. A SIGCONT that came after it has the last word: it is
// pending, since a SIGSTOP that came later would have removed it.
func resend(tid int) error {
	if pending(tid)&(1<<(uint(unix.SIGCONT)-1)) != 0 {
		return nil
	}
	tgid := tid
	if st, err := tgidOf(tid); err == nil {
		tgid = st
	}
	return unix.Tgkill(tgid, tid, unix.SIGSTOP)
}
