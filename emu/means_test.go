// SPDX-License-Identifier: Apache-2.0

package emu

import "testing"

func TestMeans(t *testing.T) {
	for limit, want := range map[uint64]means{
		0:            {1, 16},
		72:           {1, 16},
		120:          {2, 16},
		1024:         {20, 18},
		4096:         {64, 31},
		1 << 20:      {64, 253},
		^uint64(0):   {64, 253}, // RLIM_INFINITY
		64 * 32:      {42, 16},
		64*285 + 24:  {64, 253},
		64*285 + 23:  {64, 252},
		1<<63 + 4096: {64, 253},
	} {
		if got := meansOf(limit); got != want {
			t.Errorf("%d descriptors: %+v, want %+v", limit, got, want)
		}
		if total := want.total(); total > max(limit, 72) {
			t.Errorf("%d descriptors: %d would be in use", limit, total)
		}
	}
}
