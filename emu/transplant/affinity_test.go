// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestAffinityOfManyProcessors is a kernel that may have more processors than the mask has
// room for: with no room at all, any kernel is one.
func TestAffinityOfManyProcessors(t *testing.T) {
	if err := unix.SchedGetaffinityDynamic(0, nil); err != unix.EINVAL {
		t.Fatalf("sched_getaffinity without room: %v, want EINVAL", err)
	}
	got, err := affinityOf(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	var want unix.CPUSet
	if err := unix.SchedGetaffinity(0, &want); err != nil {
		t.Fatal(err)
	}
	if got.Count() == 0 || got.Count() != want.Count() {
		t.Errorf("%d processors, want %d", got.Count(), want.Count())
	}
}
