// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

// plainFork are the arguments of a clone(2) that is a fork(2).
var plainFork = []uintptr{uintptr(unix.SIGCHLD), 0, 0, 0, 0}

// TestForkInPlace: a fork that takes no arguments leaves both sides as the program's own
// call does, but for its result, without a guard and with no signal blocked.
func TestForkInPlace(t *testing.T) {
	i, echo := catScope(t)
	child, err := i.ForkOwn(unix.SYS_CLONE, plainFork...)
	if err != nil {
		t.Fatal(err)
	}
	if !i.InPlace() || i.slot != nil {
		t.Errorf("in place: %v, with a guard: %v", i.InPlace(), i.slot != nil)
	}
	for name, s := range map[string]*Stopped{"caller": i.Stopped, "child": child} {
		got, err := s.Regs()
		if err != nil {
			t.Fatal(err)
		}
		want := i.Saved()
		want.Rax, want.Orig_rax = got.Rax, got.Orig_rax // the call's
		if got != want {
			t.Errorf("the %s's registers: %+v, want %+v", name, got, want)
		}
		if mask, err := s.SigMask(); err != nil || mask != i.Mask() {
			t.Errorf("the %s's mask: %#x, %v, want %#x", name, mask, err, i.Mask())
		}
	}
	child.Kill()
	if _, err := i.Finish(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(i.block(), i.End(), i.LetGo()); err != nil {
		t.Fatal(err)
	}
	echo()
}

// TestForkNotInPlace: what has arguments, or could not be put back, goes by the guard.
func TestForkNotInPlace(t *testing.T) {
	var before Regs
	for name, of := range map[string]func(*Injection) []uintptr{
		"a flag with an argument": func(*Injection) []uintptr {
			return []uintptr{uintptr(unix.SIGCHLD) | unix.CLONE_CHILD_CLEARTID, 0, 0, 0, 0}
		},
		"a stack": func(*Injection) []uintptr {
			return []uintptr{uintptr(unix.SIGCHLD), uintptr(before.Rsp - 4096), 0, 0, 0}
		},
		"another signal":  func(*Injection) []uintptr { return []uintptr{uintptr(unix.SIGURG), 0, 0, 0, 0} },
		"single-stepping": func(i *Injection) []uintptr { i.saved.Eflags |= trapFlag; return plainFork },
		"behind a call": func(i *Injection) []uintptr {
			if _, err := i.Call(unix.SYS_GETPID); err != nil {
				t.Fatal(err)
			}
			return plainFork
		},
	} {
		t.Run(name, func(t *testing.T) {
			i, echo := catScope(t)
			before = i.saved
			child, err := i.ForkOwn(unix.SYS_CLONE, of(i)...)
			if err != nil {
				t.Fatal(err)
			}
			if i.InPlace() || i.slot == nil {
				t.Errorf("in place: %v, with a guard: %v", i.InPlace(), i.slot != nil)
			}
			child.Kill()
			i.saved = before
			if _, err := i.Finish(); err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(i.End(), i.LetGo()); err != nil {
				t.Fatal(err)
			}
			echo()
		})
	}
}

// TestForkInPlaceThatFails: the tracee can be put back then as behind any other call,
// whatever signals come.
func TestForkInPlaceThatFails(t *testing.T) {
	cmd, in, out := start(t, "prlimit", "--nproc=1", "setpriv", "--reuid=65533", "--clear-groups", "cat")
	blockedIn(t, cmd.Process.Pid, "0")
	i, err := stopped(t, cmd.Process.Pid, ForkOptions).Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := i.ForkOwn(unix.SYS_CLONE, plainFork...); !errors.Is(err, unix.EAGAIN) {
		t.Errorf("beyond RLIMIT_NPROC: %v, want %v", err, unix.EAGAIN)
	}
	if err := unix.Kill(i.TID, unix.SIGURG); err != nil { // ignored, but its tracer would see it
		t.Fatal(err)
	}
	if err := errors.Join(i.End(), i.LetGo()); err != nil {
		t.Fatal(err)
	}
	echoes(t, cmd, in, out)
}

// TestForkOwnGivesWay: a signal that comes before the clone has the tracee first, in place or
// not, as it would before the program's own call.
func TestForkOwnGivesWay(t *testing.T) {
	for name, args := range map[string][]uintptr{
		"in place": plainFork,
		"guarded":  {uintptr(unix.SIGCHLD) | unix.CLONE_FS, 0, 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			i, echo := catScope(t)
			if err := unix.Kill(i.TID, unix.SIGURG); err != nil { // ignored, but its tracer sees it
				t.Fatal(err)
			}
			if _, err := i.ForkOwn(unix.SYS_CLONE, args...); !errors.Is(err, ErrAgain) || !i.Detached {
				t.Errorf("with a signal: %v, detached %v; want %v, and let go", err, i.Detached, ErrAgain)
			}
			echo()
		})
	}
}
