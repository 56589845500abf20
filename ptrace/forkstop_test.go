// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"errors"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// TestForkWhereStopsArrive forks while the tracee is stopped and continued all the
// time: a clone that met that begins anew in the kernel (copy_process() says
// ERESTARTNOINTR), and its number is no result.
func TestForkWhereStopsArrive(t *testing.T) {
	cmd, _, _ := start(t, "cat")
	pid := cmd.Process.Pid
	s := stopped(t, pid, ForkOptions)
	var sender sync.WaitGroup
	over := make(chan struct{})
	sender.Go(func() {
		for {
			select {
			case <-over:
				return
			default:
				_ = unix.Kill(pid, unix.SIGSTOP)
				_ = unix.Kill(pid, unix.SIGCONT)
			}
		}
	})
	born := 0
	for range 30 {
		i, err := s.Begin()
		if err != nil {
			t.Fatal(err)
		}
		child, err := i.Fork(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0)
		switch {
		case err == nil:
			born++
			if _, err := i.Finish(); err != nil {
				t.Fatal(err)
			}
			child.Kill()
			if err := i.End(); err != nil {
				t.Fatal(err)
			}
			if err := i.LetGo(); err != nil {
				t.Fatal(err)
			}
		case !errors.Is(err, ErrAgain):
			t.Errorf("fork: %v, want a child or %v", err, ErrAgain)
		}
		s = stoppedAnyhow(t, pid)
	}
	close(over)
	sender.Wait()
	t.Logf("%d children", born)
}

// stoppedAnyhow seizes and stops the tracee again, whatever signals it gets.
func stoppedAnyhow(t *testing.T, pid int) *Stopped {
	t.Helper()
	r, err := Seize(pid, ForkOptions)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Interrupt(); err != nil {
		t.Fatal(err)
	}
	for {
		s, stop, err := r.Wait()
		if err != nil {
			t.Fatal(err)
		}
		if stop.Kind == Interrupt || stop.Kind == Group {
			return s
		}
		if r, err = s.Cont(int(stop.Sig)); err != nil {
			t.Fatal(err)
		}
	}
}
