// SPDX-License-Identifier: Apache-2.0

package check

import (
	"testing"

	"golang.org/x/sys/unix"
)

// A target that ends and is reaped while the rows look at it is found or is
// ESRCH, whichever row notices: never anything else.
func TestTargetsThatEndMeanwhile(t *testing.T) {
	for _, flags := range []uintptr{0, unix.CLONE_NEWPID} {
		a := newActor(t, flags)
		before := openFiles(t)
		stages := map[int]int{}
		for range 100 {
			pid := a.do("mayfly")
			v := glance(t, a, pid)
			for ; v.errno == 0; v = glance(t, a, pid) {
				stages[0]++
			}
			if stages[v.row]++; v.errno != unix.ESRCH {
				t.Fatalf("%+v, want ESRCH", v)
			}
			a.Line() // reaped
		}
		t.Logf("rows that answered: %v", stages)
		if after := openFiles(t); after > before {
			t.Errorf("%d files open before, %d after", before, after)
		}
	}
}

// verdict is the row that answered and what it said, with the cause.
type verdict struct {
	row   int
	errno unix.Errno
	cause string
}

// glance runs the rows once and closes everything.
func glance(t *testing.T, a *actor, pid int) verdict {
	t.Helper()
	from, err := OpenCaller(a.PID())
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	c := newCall(from, order{pid: pid})
	defer c.Close()
	errno := c.Check()
	return verdict{c.Row, errno, c.Cause}
}

// A target whose parent ends during the walk is a descendant until it has been
// given away, and all the time where the caller adopts it.
func TestParentsThatEndMeanwhile(t *testing.T) {
	a := newActor(t, 0)
	for range 50 {
		pid := a.do("orphan")
		v := glance(t, a, pid)
		for v.errno == 0 {
			v = glance(t, a, pid)
		}
		if v.row != 9 || v.errno != unix.EPERM {
			t.Fatalf("given away: %+v, want EPERM of row 9", v)
		}
		a.Line()
	}
	a.do("subreaper")
	for range 50 {
		pid := a.do("orphan")
		for range 20 {
			if v := glance(t, a, pid); v.errno != 0 {
				t.Fatalf("adopted: %+v", v)
			}
		}
		a.Line()
	}
}
