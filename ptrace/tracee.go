// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"time"

	"golang.org/x/sys/unix"
)

// Running is a tracee that runs, or is on its way to a stop.
type Running struct {
	// TID is the thread's number in the supervisor's pid namespace.
	TID int

	slept *asleep // see Observe; nil: not known
	left  bool    // see LeaveExit
}

// Stopped is a tracee in a ptrace-stop. It must not be used any more once
// Cont, Syscall or Detach succeeded.
type Stopped struct {
	// TID is the thread's number in the supervisor's pid namespace.
	TID int
	// Last is the stop that the tracee is in.
	Last Stop
	// OnAwaited is called again and again while the tracee has been interrupted after
	// a batch and not stopped: see [Running.WaitFor].
	OnAwaited func()
	// OnAsleep is called when the tracee has made a batch's calls and sleeps, before it
	// is interrupted, by tests that keep its tracer from that.
	OnAsleep func()
	// OnForked is called in the event of its clone, before its child is known, by tests that kill
	// it there.
	OnForked func()
	// OnReap is called when its parent sleeps in the wait for this dead child, by tests that kill
	// that one there.
	OnReap func()

	reaped bool // by this thread: what is left is its parent's
	slept  *asleep
	vdso   uint64    // where it may be (vdsoAt), or 0
	leg    *slot     // of the leg that it is in, or goes on with
	fresh  *slot     // the same, if this stop made it
	due    time.Time // see Due

	freshAnnex *slot // of the leg, if this stop made it

	suspended bool // its filters are
	filtered  bool // it has some of its own, as far as is known

	left bool // see LeaveExit
}

// Seize attaches to tid with options (PTRACE_O_*) in one request, so that no
// moment exists without them. It does not stop the tracee. The error is EPERM
// where another tracer has it or the rights are missing (ptrace(2)). It waits for the
// end of an exec in the thread's process.
func Seize(tid, options int) (*Running, error) {
	if err := seize(tid, options); err != nil {
		return nil, err
	}
	return &Running{TID: tid}, nil
}

// Interrupt asks the tracee to stop; wait for it with Wait.
func (r *Running) Interrupt() error {
	return request("INTERRUPT", unix.PTRACE_INTERRUPT, r.TID, 0, 0)
}

// Adopt takes over a tracee that the kernel attached by itself, a child of a
// tracee with PTRACE_O_TRACECLONE or its kin. Precondition: this thread traces
// the parent.
func Adopt(tid int) *Running { return &Running{TID: tid} }

func (s *Stopped) resume(name string, req, sig int) (*Running, error) {
	if err := request(name, req, s.TID, 0, uintptr(sig)); err != nil {
		return nil, err
	}
	return s.running(), nil
}

func (s *Stopped) running() *Running { return &Running{TID: s.TID, left: s.left} }

// LeaveExit has nobody hear of the tracee's end before it is reaped here (ReapChild, or Reap),
// though it is killed while it is waited for: for a child that its parent must not know of.
func (s *Stopped) LeaveExit() { s.left = true }

// Cont resumes the tracee, delivering sig (0 for none).
func (s *Stopped) Cont(sig int) (*Running, error) { return s.resume("CONT", unix.PTRACE_CONT, sig) }

// Syscall resumes the tracee until the next entry to or exit from a system call.
func (s *Stopped) Syscall(sig int) (*Running, error) {
	return s.resume("SYSCALL", unix.PTRACE_SYSCALL, sig)
}

// Listen resumes a tracee in group-stop so that it stays stopped by its job
// control signal, yet reports further events (ptrace(2), PTRACE_LISTEN).
func (s *Stopped) Listen() (*Running, error) { return s.resume("LISTEN", unix.PTRACE_LISTEN, 0) }

// Detach lets the tracee go, delivering sig (0 for none). A tracee whose group
// is stopped by a job control signal goes back into that stop.
func (s *Stopped) Detach(sig int) error {
	return request("DETACH", unix.PTRACE_DETACH, s.TID, 0, uintptr(sig))
}

// SetOptions replaces the tracee's PTRACE_O_* options.
func (s *Stopped) SetOptions(options int) error {
	err := request("SETOPTIONS", unix.PTRACE_SETOPTIONS, s.TID, 0, uintptr(options))
	if err == nil {
		s.suspended = options&SuspendSeccomp != 0
	}
	return err
}

// EventMessage returns the datum of the event that the tracee stopped for: for
// a fork event the child's number in the tracer's pid namespace.
func (s *Stopped) EventMessage() (int, error) {
	var msg uint64
	err := requestMem("GETEVENTMSG", unix.PTRACE_GETEVENTMSG, s.TID, 0, bytesOf(&msg))
	return int(msg), err
}

// SigMask returns the tracee's blocked signals, bit N-1 for signal N.
func (s *Stopped) SigMask() (uint64, error) {
	var mask uint64
	err := requestMem("GETSIGMASK", reqGetSigMask, s.TID, 8, bytesOf(&mask))
	return mask, err
}

// SetSigMask blocks exactly mask. It drops the mask that sigsuspend(2) or
// ppoll(2) saved to put back (kernel: clear_tsk_restore_sigmask).
func (s *Stopped) SetSigMask(mask uint64) error {
	return requestMem("SETSIGMASK", reqSetSigMask, s.TID, 8, bytesOf(&mask))
}
