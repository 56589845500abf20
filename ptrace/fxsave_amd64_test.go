// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"bytes"
	"testing"
)

// TestStateWithoutXSave: the state of a processor without XSAVE can be read and set.
func TestStateWithoutXSave(t *testing.T) {
	cmd, in, out := start(t, "cat")
	s := stopped(t, cmd.Process.Pid, 0)
	own := make([]byte, fxsaveSize)
	if n, err := regset("GETREGSET PRFPREG", s.TID, notePrFPReg, own, false); err != nil || n != fxsaveSize {
		t.Fatalf("%d bytes, %v; want %d", n, err, fxsaveSize)
	}
	const xmm15 = 160 + 15*16
	want := bytes.Clone(own)
	copy(want[xmm15:], "sixteen bytes...")
	if err := s.SetXState(want); err != nil {
		t.Fatal(err)
	}
	got, err := s.XState()
	if err != nil || !bytes.Equal(got[xmm15:xmm15+16], want[xmm15:xmm15+16]) {
		t.Errorf("xmm15 is %q, %v", got[xmm15:xmm15+16], err)
	}
	if err := s.SetXState(own); err != nil {
		t.Fatal(err)
	}
	if err := s.Detach(0); err != nil {
		t.Fatal(err)
	}
	echoes(t, cmd, in, out)
}
