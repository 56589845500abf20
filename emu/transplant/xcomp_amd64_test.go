// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"errors"
	"math/bits"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestExtendedFeatures: what the caller may use of the processor its child may, or is not made.
// Few machines have a feature that takes permission; a caller is said to have one that no
// kernel knows, so that the kernel's answer to the request is seen.
func TestExtendedFeatures(t *testing.T) {
	s := start(t, program(t, "fat", "-static"), "1", "/bin/sleep", "1000")
	settle(t, s.thread)
	s.taken = func(snap *Snapshot) {
		if bits.OnesCount64(snap.own.xcomp&3) != 2 { // x87 and SSE
			t.Errorf("the caller may use %#x", snap.own.xcomp)
		}
	}
	if o := s.transplant(s.thread, Options{}); o.err != nil {
		t.Fatal(o.err)
	}
	s.taken = func(snap *Snapshot) { snap.own.xcomp |= 1 << 62 }
	o := s.transplant(s.thread, Options{})
	var refused *Unsupported
	if !errors.As(o.err, &refused) || !strings.Contains(refused.Cause, "feature 62") || !strings.Contains(refused.Cause, unix.EINVAL.Error()) {
		t.Errorf("got %v, want the kernel's refusal of feature 62", o.err)
	}
}
