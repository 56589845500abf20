// SPDX-License-Identifier: Apache-2.0

package release

import "testing"

func TestSince(t *testing.T) {
	v := running()
	if v[0] < 5 {
		t.Fatalf("this kernel is %v", v)
	}
	for _, c := range []struct {
		major, minor int
		want         bool
	}{
		{v[0], v[1], true},
		{v[0], v[1] + 1, false},
		{v[0] - 1, v[1] + 1, true},
		{v[0] + 1, 0, false},
		{2, 6, true},
	} {
		if got := Since(c.major, c.minor); got != c.want {
			t.Errorf("Since(%d, %d) is %v on %v", c.major, c.minor, got, v)
		}
	}
}
