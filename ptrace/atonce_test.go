// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

// notAllowed are flags that no clone(2) takes.
const notAllowed = unix.CLONE_SIGHAND

// quiet has waits look.
func quiet(t *testing.T) {
	t.Helper()
	skip, vain := waits.skip.Swap(0), waits.vain.Swap(0)
	t.Cleanup(func() { waits.skip.Store(skip); waits.vain.Store(vain) })
}

// catScope opens a scope in a cat that reads; echo demands that it goes on.
func catScope(t *testing.T) (i *Injection, echo func()) {
	t.Helper()
	cmd, in, out := start(t, "cat")
	blockedIn(t, cmd.Process.Pid, "0")
	i, err := stopped(t, cmd.Process.Pid, ForkOptions).Begin()
	if err != nil {
		t.Fatal(err)
	}
	return i, func() { t.Helper(); echoes(t, cmd, in, out) }
}

// TestForkThatFails: an error is heard of without a stop at the clone's entry, and the
// tracee can be used on.
func TestForkThatFails(t *testing.T) {
	i, echo := catScope(t)
	atOnce := 0
	for range 100 {
		quiet(t)
		if _, err := i.Fork(unix.SYS_CLONE, notAllowed, 0, 0, 0, 0); !errors.Is(err, unix.EINVAL) {
			t.Fatalf("a clone with bad flags: %v, want %v", err, unix.EINVAL)
		}
		if i.Last.Kind == Interrupt { // else it had not begun when it was interrupted
			atOnce++
		}
	}
	if atOnce == 0 {
		t.Error("all stopped at the call's entry")
	}
	if id, err := i.Call(unix.SYS_GETPID); err != nil || int(id) != i.TID {
		t.Errorf("getpid after it: %d, %v", id, err)
	}
	if err := errors.Join(i.End(), i.LetGo()); err != nil {
		t.Fatal(err)
	}
	echo()
}

// TestForkWhoseTracerIsLate: a tracee that was not interrupted in time has put itself
// back, and is let go as it is.
func TestForkWhoseTracerIsLate(t *testing.T) {
	i, echo := catScope(t)
	if err := i.prepare(healFork, unix.SYS_CLONE, []uintptr{notAllowed, 0, 0, 0, 0}); err != nil {
		t.Fatal(err)
	}
	if _, err := i.Cont(0); err != nil {
		t.Fatal(err)
	}
	blockedIn(t, i.TID, "0") // it reads again
	r := &Running{TID: i.TID}
	if err := r.Interrupt(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Wait(); err != nil {
		t.Fatal(err)
	}
	if err := i.afterClone(); !errors.Is(err, ErrAgain) || !i.Detached {
		t.Errorf("the tracer was late: %v, detached %v; want %v, and let go", err, i.Detached, ErrAgain)
	}
	echo()
}
