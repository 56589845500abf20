// SPDX-License-Identifier: Apache-2.0

package ptrace

import "testing"

// TestSlots counts what fits into the room that a vdso leaves.
func TestSlots(t *testing.T) {
	defer func(n int) { slotMemory = n }(slotMemory)
	for room, want := range map[int]int{0: 0, guardSize - 1: 0, guardSize: 1, 896: 2} {
		slotMemory = room
		if n, err := Slots(); n != want || err != nil {
			t.Errorf("%d slots in %d bytes, %v; want %d", n, room, err, want)
		}
	}
}
