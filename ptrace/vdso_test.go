// SPDX-License-Identifier: Apache-2.0

package ptrace

import "testing"

// TestVDSOThatMoved: what is remembered of a number is believed only where a vdso is: after
// an exec it is elsewhere, and the number may be another thread's. A forked child has
// it where its parent has it.
func TestVDSOThatMoved(t *testing.T) {
	cmd, _, _ := start(t, "cat")
	pid := cmd.Process.Pid
	s := stopped(t, pid, ForkOptions)
	where, err := vdsoBase(pid)
	if err != nil {
		t.Fatal(err)
	}
	moved := &Stopped{TID: pid, vdso: where + 1<<12}
	if at, err := moved.vdsoAt(); err != nil || at != where {
		t.Errorf("moved: got %#x, %v, want %#x", at, err, where)
	}
	for _, wrong := range []uint64{where + 1<<12, where - 1<<20, 1 << 12, ^uint64(0) &^ 0xfff} {
		lately.note(pid, wrong)
		if at, err := (&Stopped{TID: pid}).vdsoAt(); err != nil || at != where {
			t.Errorf("remembered at %#x: got %#x, %v, want %#x", wrong, at, err, where)
		}
	}
	lately.note(pid+len(lately.at), 1<<12) // the same entry, another thread
	if at := lately.of(pid); at != 0 {
		t.Errorf("another thread's vdso at %#x", at)
	}
	_, child := forked(t, s)
	defer child.Kill()
	if child.vdso != where {
		t.Errorf("a child's at %#x, want %#x", child.vdso, where)
	}
}
