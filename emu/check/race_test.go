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
			for row := 0; row == 0; {
				row = checkMayfly(t, a, pid)
				stages[row]++
			}
			a.Line() // reaped
		}
		t.Logf("rows that answered: %v", stages)
		if after := openFiles(t); after != before {
			t.Errorf("%d files open before, %d after", before, after)
		}
	}
}

// checkMayfly answers the row that said ESRCH, 0 if none did.
func checkMayfly(t *testing.T, a *actor, pid int) int {
	t.Helper()
	from, err := OpenCaller(a.PID())
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	c := newCall(from, order{pid: pid, flags: unix.CLONE_IO})
	errno := c.Check()
	defer c.Close()
	if errno != 0 && errno != unix.ESRCH {
		t.Fatalf("row %d answers %v: %s", c.Row, errno, c.Cause)
	}
	return c.Row
}
