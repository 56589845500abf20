// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestCloneOfAClone: a transplanted child is a caller like any other, again
// and again.
func TestCloneOfAClone(t *testing.T) {
	const depth = "5"
	s := start(t, program(t, "chain", "-static"), depth)
	for i := range 5 {
		settle(t, s.thread)
		old, oldTarget := s.thread, s.target
		if o := s.transplant(old, Options{}); o.err != nil {
			t.Fatal(o.err)
		}
		t.Cleanup(func() {
			_ = unix.Kill(old, unix.SIGKILL)
			if oldTarget != s.target { // whose end is the subject's
				_ = unix.Kill(oldTarget, unix.SIGKILL)
			}
		})
		if i < 4 {
			s.next(t)
		}
	}
	if got, err := s.out.ReadString('\n'); got != "whole\n" {
		t.Errorf("the last clone said %q (%v)", got, err)
	}
}
