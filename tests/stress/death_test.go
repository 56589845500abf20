// SPDX-License-Identifier: Apache-2.0

package stress

import (
	"math/rand"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"cloneat-emu/tests/built"
)

// The operator holds the listener and makes all ptrace requests. Killed at any
// instant, it must harm nobody: callers get ENOSYS or their result, targets go
// on with registers, mask and memory as they were, children in the making are
// gone, and nobody stays stopped.
func TestOperatorKilled(t *testing.T) {
	program := built.C(t, "tests/stress/testdata/storm.c")
	seed := time.Now().UnixNano()
	random := rand.New(rand.NewSource(seed))
	rounds := setting(t, "CLONEAT_ROUNDS", 10)
	for round := range rounds {
		s := startStorm(t, program, "2", "0", "EINTR")
		time.Sleep(time.Duration(random.Int63n(int64(maxLife)))) // the instant is the test's input
		if err := unix.Kill(s.operator, unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if err := s.cmd.Wait(); err != nil {
			t.Fatalf("round %d of seed %d: %v\n%s", round, seed, err, s.complaints(t))
		}
		nobodyLeft(t)
	}
}

// maxLife is the longest life of an operator: a few dozen calls.
const maxLife = 300 * time.Millisecond
