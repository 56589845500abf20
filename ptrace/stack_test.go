// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestRequestsWhereTheStackGrows makes requests at every depth of a stack that
// grows under them: what a request fills in must be found where it is then. An
// address that is taken before the stack moves is another's.
func TestRequestsWhereTheStackGrows(t *testing.T) {
	cmd, _, _ := start(t, "sleep", "1000")
	blockedIn(t, cmd.Process.Pid, "230")
	s := stopped(t, cmd.Process.Pid, Plain)
	const mask = 1 << (unix.SIGUSR2 - 1)
	if err := s.SetSigMask(mask); err != nil {
		t.Fatal(err)
	}
	want, err := s.Regs()
	if err != nil {
		t.Fatal(err)
	}
	done := 0
	descend(1000, func(depth int) {
		if got, err := s.SigMask(); err != nil || got != mask {
			t.Errorf("mask at depth %d: %#x, %v; want %#x", depth, got, err, uint64(mask))
		}
		if got, err := s.Regs(); err != nil || got != want {
			t.Errorf("registers at depth %d: %+v, %v; want %+v", depth, got, err, want)
		}
		done++
	})
	if done != 1000 {
		t.Errorf("%d depths, want 1000", done)
	}
}

// descend calls f at each of n depths, a few dozen bytes of stack apart.
//
//go:noinline
func descend(n int, f func(int)) {
	if n > 0 {
		f(n)
		descend(n-1, f)
	}
}
