// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
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
	stood    bool        // the process was stopped before: a SIGSTOP that waits in it waits on
	whole    bool        // such a one is for all of the process
	delivers unix.Signal // the signal in whose delivery End left the tracee
	forget   bool        // End restores nothing
	slot     *slot       // where calls run, once one did
	page     uintptr     // for arguments, where there is no room for a slot
	areas    int         // batches that are not closed
	heal     heal        // what slot's code does
	untold   bool        // whether calls are sent to the tracee: see checkDispatched
	trapped  *Batch      // the tracee stands behind this one's trap
	keeps    bool        // see KeepStops
	entered  bool        // the tracee has been at the entry of a call
	inPlace  bool        // the clone is made at the program's own instruction
	watched  bool        // its calls are looked at: see ErrForeign
	asked    Regs        // with which the last call was to be made

	// Hold keeps the tracee in hand when a SIGSTOP reaches it between calls:
	// for a child in the making, which must never run as it is.
	Hold bool
	// KeepsOut has signals wait for the end of a ForkOwn as for that of any other call: for a
	// tracee that gets them faster than it could clone.
	KeepsOut bool
	// NoTrap keeps a batch from ending in a trap: where the tracee's dispositions are others'
	// too, and SIGTRAP is ignored, the kernel would reset that for all of them
	// (force_sig_info_to_task() in kernel/signal.c).
	NoTrap bool
	// Ends makes the tracee exit if the tracer dies under a call: a thread of
	// the caller's that works for us. It cannot have PTRACE_O_EXITKILL, which
	// would kill the process. A SIGSTOP that it meets is left for the caller
	// (LeaveStop), which waits for it, and could not stop with it.
	Ends bool
	// OnStuck is called when the tracee, or a child that it has made, does not do what it is made to
	// do, since it is frozen. It is waited for without end, and what OnStuck has returned is called
	// behind that.
	OnStuck func() (over func())
	// Bound says that the tracee cannot be let go before it has made its next call: it has made
	// a child, or is to reap one. If it is not, and does not get as far as the call's entry since it
	// is frozen, the call fails with ErrBusy.
	Bound bool
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
	told, err := s.checkDispatched(insn)
	if err != nil {
		_ = s.SetRegs(s.plainly(regs))
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
	watched, err := s.watches()
	if err != nil {
		return nil, err
	}
	// The last step: what it makes in the tracee is used.
	i := &Injection{Stopped: s, saved: s.goOn(regs), stopped: regs, insn: insn, mask: mask, now: mask, untold: !told, watched: watched}
	if i.saved != regs {
		// A tracer that dies from here on leaves a call that goes on, as its leg says now.
		if err := s.SetRegs(i.saved); err != nil {
			s.dropLegs()
			return nil, err
		}
	}
	if s.Last.Kind == Group {
		i.stood, i.whole = true, !pendsAlone(s.TID, unix.SIGSTOP)
	}
	return i, nil
}

// block keeps every signal out while calls are injected, or a call would eat
// one. It waits for the first call: a tracee that is only stopped keeps its mask,
// whatever becomes of its tracer. A tracee inside a call that saved a mask to put back afterwards
// (sigsuspend, ppoll, pselect, epoll_pwait) keeps its mask: PTRACE_SETSIGMASK
// would throw the saved one away. See keepsMask. On its way to the first call it passes the signal
// code, and has its own mask again.
func (i *Injection) block() error {
	all := i.blocked()
	if keepsMask(i.saved) && !i.entered || i.now == all {
		return nil
	}
	i.masked = true
	return i.SetSigMask(all)
}

// unblock lets signals in again, for what is the program's own call.
func (i *Injection) unblock() error {
	if !i.masked {
		return nil
	}
	i.masked = false
	return i.SetSigMask(i.mask)
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
	return i.callBy(i.waiter(), nr, args)
}

// callBy is Call with a wait of its own for the call's end.
func (i *Injection) callBy(wait waiter, nr uintptr, args []uintptr) (uintptr, error) {
	if err := i.toExit(wait, nr, args); err != nil {
		return 0, err
	}
	return i.result()
}

// toExit runs the tracee to the exit of the call.
func (i *Injection) toExit(wait waiter, nr uintptr, args []uintptr) error {
	if err := i.enter(healCall, nr, args); err != nil {
		return err
	}
	stop, err := i.proceedBy(wait)
	if err == nil && stop.Kind != Syscall {
		err = fmt.Errorf("pid %d: call %d met stop %+v", i.TID, nr, stop)
	}
	return err
}
