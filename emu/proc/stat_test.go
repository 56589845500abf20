// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"testing"

	"cloneat-emu/internal/release"
)

func TestWorker(t *testing.T) {
	for flags, want := range map[uint64]bool{
		0:                         false,
		pfIOWorker:                true,
		pfUserWorker:              release.Since(6, 4), // another flag before
		pfIOWorker | pfUserWorker: true,
		PFExiting:                 false,
	} {
		if got := (&Stat{Flags: flags}).Worker(); got != want {
			t.Errorf("flags %#x: worker %v, want %v", flags, got, want)
		}
	}
}

// TestExiting: each sign of the end is one alone.
func TestExiting(t *testing.T) {
	for _, c := range []struct {
		flags uint64
		state byte
		want  bool
	}{{0, 'S', false}, {0, 'T', false}, {PFExiting, 'R', true}, {0, 'Z', true}, {0, 'X', true}} {
		if got := (&Stat{Flags: c.flags, State: c.state}).Exiting(); got != c.want {
			t.Errorf("flags %#x, state %c: exiting %v, want %v", c.flags, c.state, got, c.want)
		}
	}
}
