// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Plain is what every tracee needs: its system call stops are told from traps.
const Plain = unix.PTRACE_O_TRACESYSGOOD

// ForkOptions make the kernel attach to whatever a tracee clones.
const ForkOptions = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACEFORK |
	unix.PTRACE_O_TRACEVFORK | unix.PTRACE_O_TRACECLONE

// Fork makes the tracee run a clone(2) or clone3(2) and returns the child,
// attached and in its first stop. The tracee is left in the event's stop,
// inside the call, after its arguments were used: it may be given its
// registers back there, and the kernel will still put the child's number into
// rax when it goes on. Where the call fails, the tracee is at its exit and the
// error is the call's. So it is if the child is killed before its first stop, by the
// init of its pid namespace or with its process group: a Stillborn. Precondition: seized with ForkOptions, and flags
// without CLONE_UNTRACED.
func (i *Injection) Fork(nr uintptr, args ...uintptr) (*Stopped, error) {
	return i.fork(healFork, nr, args)
}

// ForkOwn is Fork where the clone is what the tracee's program asked for. If
// the tracer dies under it, both sides return from the program's call with what
// the clone returned. Signals meet it as they would meet that call: one that comes before
// it is delivered, and the work has to begin anew (ErrAgain); so that no child misses one
// to its process group (but see KeepsOut). Both sides have their own masks in the event's stop, and maybe all
// of their registers, see [Injection.InPlace].
func (i *Injection) ForkOwn(nr uintptr, args ...uintptr) (child *Stopped, err error) {
	if plain, ok := withoutArguments(nr, args); ok && i.canForkInPlace() {
		child, err = i.forkInPlace(plain)
	} else {
		child, err = i.fork(healClone, nr, args)
	}
	if err == nil || i.Detached || Gone(err) {
		return child, err
	}
	if berr := i.block(); berr != nil { // as behind any other call
		return nil, errors.Join(err, berr)
	}
	return nil, err
}

func (i *Injection) fork(h heal, nr uintptr, args []uintptr) (*Stopped, error) {
	if err := i.prepare(h, nr, args); err != nil {
		return nil, err
	}
	there := false
	if i.goesAtOnce(nr, args[0]) {
		var err error
		if there, err = i.atOnce(); err != nil {
			return nil, err
		}
	}
	if there {
		return i.child()
	}
	return i.meetChild(nr)
}

// meetChild runs the tracee to the event of a clone that it is about to enter, and returns
// the child.
func (i *Injection) meetChild(nr uintptr) (*Stopped, error) {
	if err := i.toEvent(nr); err != nil {
		return nil, err
	}
	return i.child()
}

// child waits for the child of the event in which the tracee stands.
func (i *Injection) child() (*Stopped, error) {
	if i.OnForked != nil {
		i.OnForked()
	}
	tid, err := i.EventMessage()
	if err != nil {
		return nil, err
	}
	r := Adopt(tid)
	r.left = true
	child, _, done, err := r.soon()
	if !done {
		child, _, err = r.WaitTelling(i.OnStuck)
	}
	if err == nil {
		child.vdso, child.suspended, child.filtered = i.vdso, i.suspended, i.filtered
		return child, nil
	}
	dead := &Stillborn{Child: &Stopped{TID: r.TID}, err: err}
	if dead.ID, err = i.Finish(); err != nil {
		dead.ID = 0
	}
	return nil, fmt.Errorf("the child of pid %d: %w", i.TID, dead)
}

// Stillborn is the error of a Fork whose child was killed before its first stop. The
// tracee has done its clone. Gone is true for it. Nobody hears of the child's end before
// it is reaped here (ReapChild, or Reap).
type Stillborn struct {
	Child *Stopped
	ID    uintptr // in the tracee's pid namespace; 0 if that is gone, too
	err   error
}

func (s *Stillborn) Error() string { return fmt.Sprintf("born as %d: %v", s.ID, s.err) }

// Unwrap makes it an error for which Gone is true.
func (s *Stillborn) Unwrap() error { return s.err }

// toEvent runs the tracee to the entry of a clone, and to its event. A clone that is
// met by a stop, or by a signal that could not be blocked, is set back by the
// kernel (ERESTARTNOINTR of copy_process() in kernel/fork.c) and enters again.
func (i *Injection) toEvent(nr uintptr) error {
	for {
		if err := i.toEntry(nr); err != nil {
			return err
		}
		stop, err := i.proceedBy(i.waitSoon)
		switch {
		case err != nil:
			return err
		case stop.Kind == Event:
			return nil
		case stop.Kind == Signal:
			return i.giveWay(stop.Sig)
		}
		regs, err := i.Regs()
		if err != nil {
			return err
		}
		if !Restarts(regs) {
			if _, err = outcome(regs); err == nil {
				err = fmt.Errorf("pid %d cloned without an event", i.TID)
			}
			return err
		}
	}
}

// Finish runs the tracee from a fork's event to the exit of the call and
// returns what the call returned. With CLONE_VFORK it waits for the child.
func (i *Injection) Finish() (uintptr, error) {
	stop, err := i.proceed()
	if err != nil {
		return 0, err
	}
	if stop.Kind != Syscall {
		return 0, fmt.Errorf("pid %d: met %+v at the end of a clone", i.TID, stop)
	}
	return i.result()
}

// RunOut lets a helper (Ends) that stands in a fork's event go on into the guard's code,
// which reaps the fork's child and exits, and waits for its end. A SIGSTOP that it met
// is heir's, another thread of its process. It reports false, and nothing is done, where
// the helper had no room for a guard, or is watched. reap is called when the helper waits for the
// child.
func (i *Injection) RunOut(heir *Injection, reap func()) bool {
	if i.slot == nil || i.heal != healExit || i.watched {
		return false
	}
	defer i.LeaveStop(heir)
	for {
		r, err := i.Cont(0)
		if err != nil {
			i.Reap()
			return true
		}
		if i.sleepsIn(r, unix.SYS_WAIT4) {
			reap()
		}
		s, stop, err := i.waiter()(r)
		if err != nil {
			return true
		}
		i.Last = s.Last
		i.stops = i.stops || stop.Kind == Signal && stop.Sig == unix.SIGSTOP
	}
}

// Kill ends the tracee, which must be a child in the making, and waits until
// it is gone.
func (s *Stopped) Kill() {
	_ = unix.Kill(s.TID, unix.SIGKILL)
	s.Reap()
}

// Die ends the tracee as Kill does, and leaves a zombie that its parent cannot see until Reap.
func (s *Stopped) Die() {
	if s.reaped {
		return
	}
	_ = unix.Kill(s.TID, unix.SIGKILL)
	for !s.dead(0) {
	}
}

// DieWithin is Die with a bound, for a tracee that may be unable to end (see ErrStuck). It reports
// false if it has not by then.
func (s *Stopped) DieWithin(bound time.Duration) bool {
	if s.reaped {
		return true
	}
	_ = unix.Kill(s.TID, unix.SIGKILL)
	end := time.Now().Add(bound)
	for i := 0; !s.dead(unix.WNOHANG); i++ {
		if i >= looks && time.Now().After(end) {
			return false
		}
		pause(i)
	}
	return true
}

// dead reports whether the tracee, which has been killed, is a zombie, and lets it go on to its end.
func (s *Stopped) dead(flags int) bool {
	var si siginfo
	err := waitid(s.TID, &si, waitFlags|unix.WEXITED|unix.WSTOPPED|unix.WNOWAIT|flags)
	switch {
	case errors.Is(err, unix.EINTR), err == nil && si.pid == 0:
		return false
	case err != nil || si.code == Exited || si.code == Killed || si.code == Dumped:
		return true
	}
	_, _ = s.Cont(0)
	return false
}

// Reap waits until the tracee, which has been killed, is gone. A request to one that
// is dying fails with ESRCH before that, and until its tracer has waited for it
// nobody else can: neither its parent nor the init of its pid namespace, which
// waits for all in there (zap_pid_ns_processes() in kernel/pid_namespace.c).
func (s *Stopped) Reap() {
	s.reaped = true
	r := &Running{TID: s.TID}
	for {
		if _, _, err := r.Wait(); err != nil {
			return
		}
		_, _ = s.Cont(0)
	}
}

// Reaped reports whether Reap was called: it is no tracee any more, and its number may be another
// process's.
func (s *Stopped) Reaped() bool { return s.reaped }

// SuspendSeccomp keeps the tracee's filters off as long as it is traced. It
// takes CAP_SYS_ADMIN and a tracer without any filter (ptrace(2)).
const SuspendSeccomp = 1 << 21
