// SPDX-License-Identifier: Apache-2.0

package ptrace

import "testing"

// TestSpinGivesWay: each time in vain more waits sleep at once, and one that sees
// something ends that.
func TestSpinGivesWay(t *testing.T) {
	var s spin
	looks := 0
	never := func() bool { looks++; return false }
	for round := 1; round <= mostVain+2; round++ {
		looks = 0
		if s.try(never) || looks == 0 {
			t.Fatalf("round %d: %d looks for what never comes, and done", round, looks)
		}
		looks = 0
		for range 1 << min(round, mostVain) {
			if s.try(never) || looks > 0 {
				t.Fatalf("round %d: it looks where it is of no use", round)
			}
		}
	}
	if !s.try(func() bool { return true }) {
		t.Error("it does not see what is there")
	}
	looks = 0
	if s.try(never) || looks == 0 || s.skip.Load() != 2 {
		t.Errorf("after a success: %d looks, then %d waits without", looks, s.skip.Load())
	}
}
