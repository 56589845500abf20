// SPDX-License-Identifier: Apache-2.0

package stress

import (
	"fmt"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"cloneat-emu/tests/built"
)

// late is longer than a caller sleeps before it asks whether its tracer is alive.
const late = 2200 * time.Millisecond

// TestSupervisorStopped: calls whose supervisor is stopped for seconds, at whatever
// step they are, go on when it goes on.
func TestSupervisorStopped(t *testing.T) {
	loops := built.C(t, "tests/bench/loops/loops.c")
	script := "echo at work; all=; for i in 1 2 3 4 5 6 7 8; do %[1]s forked 1 100 >&2 & all=\"$all $!\"; done; " +
		"for p in $all; do wait $p || exit; done"
	s := startStorm(t, "sh", "-c", fmt.Sprintf(script, loops))
	for range 2 {
		time.Sleep(100 * time.Millisecond) // at any step: what matters is that it is not the first
		if err := unix.Kill(s.operator, unix.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		time.Sleep(late)
		if err := unix.Kill(s.operator, unix.SIGCONT); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, s.complaints(t))
	}
}
