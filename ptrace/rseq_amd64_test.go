// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

// TestRseqIsFoundByAsking: what a kernel before 5.13 does not tell is found in the
// tracee, whose registration is as before; and that of one that has none is not.
func TestRseqIsFoundByAsking(t *testing.T) {
	cmd, _, _ := start(t, "cat")
	blockedIn(t, cmd.Process.Pid, "0 0x0") // its input: the library has registered
	s := stopped(t, cmd.Process.Pid, ForkOptions)
	i, err := s.Begin()
	if err != nil {
		t.Fatal(err)
	}
	want, err := i.Rseq()
	if errors.Is(err, unix.EIO) {
		t.Skip("Linux before 5.13: there is nothing to compare with")
	}
	if err != nil || want.Pointer == 0 {
		t.Fatalf("cat has registered %+v, %v", want, err)
	}
	for range 2 {
		if got, err := i.askRseq(); err != nil || got != want {
			t.Fatalf("%+v, %v; want %+v", got, err, want)
		}
	}
	const unregister = 1
	if _, err := i.Call(unix.SYS_RSEQ, uintptr(want.Pointer), uintptr(want.Size), unregister, uintptr(want.Signature)); err != nil {
		t.Fatal(err)
	}
	if got, err := i.askRseq(); err != nil || got != (RseqConfig{}) {
		t.Fatalf("%+v, %v; want none", got, err)
	}
	if _, err := i.Call(unix.SYS_RSEQ, uintptr(want.Pointer), uintptr(want.Size), 0, uintptr(want.Signature)); err != nil {
		t.Fatal(err)
	}
}
