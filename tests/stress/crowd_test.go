// SPDX-License-Identifier: Apache-2.0

package stress

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"cloneat-emu/tests/built"
)

// crowd is the program testdata/crowd.c under the supervisor, a round at a time.
type crowd struct {
	*storm
	next *os.File
}

// startCrowd starts it and waits for the end of the first round.
func startCrowd(t *testing.T, callers, depth, kills int) *crowd {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	seed := time.Now().UnixNano() % 1e6
	t.Logf("seed %d", seed)
	program := built.C(t, "tests/stress/testdata/crowd.c")
	c := &crowd{next: w}
	c.storm = startFrom(t, r, program, strconv.Itoa(callers), strconv.Itoa(depth),
		strconv.Itoa(kills), strconv.Itoa(int(seed)))
	r.Close()
	return c
}

// round runs one more and returns the calls so far. The operator ends with the
// program: whether it lives says nothing about who was first.
func (c *crowd) round(t *testing.T) (calls int) {
	t.Helper()
	if _, err := c.next.WriteString("n"); err != nil {
		t.Fatal(err)
	}
	line, err := c.says.ReadString('\n')
	if err != nil {
		t.Fatalf("the crowd said %q: %v; it ended with %v\n%s", line, err, c.cmd.Wait(), c.complaints(t))
	}
	if _, err := fmt.Sscanf(line, "idle %d", &calls); err != nil {
		t.Fatalf("the crowd said %q\n%s", line, c.complaints(t))
	}
	return calls
}

// TestCrowd: many callers, chains, callers that are targets, killed callers and
// targets. No call is lost, everybody gets the children that are meant for it, and
// between rounds the operator holds what it held after the first.
// CLONEAT_CALLS makes it as many calls, by hundreds of callers (make soak).
func TestCrowd(t *testing.T) {
	if calls := setting(t, "CLONEAT_CALLS", 0); calls > 0 {
		watch(t, startCrowd(t, 200, 50, 200), calls)
		return
	}
	watch(t, startCrowd(t, 10, 10, 10), 1)
}

// maxThreads bounds the operator's: its workers and the Go runtime's own.
const maxThreads = 64 + 32

// maxGrowth bounds how much memory in KiB and how many mappings the operator may
// gain after the first round: the heap of 64 workers with a page buffer each. What is
// lost with every call exceeds it in a long run.
const (
	maxGrowth   = 128 << 10
	maxMappings = 100
)

// watch runs rounds until so many calls were made, and looks at the operator
// between them.
func watch(t *testing.T, c *crowd, wanted int) {
	t.Helper()
	c.round(t) // descriptors of the Go runtime's come with the first file that it polls
	before := usageOf(t, c.operator)
	before = settled(t, c.operator, before.fds)
	begin, told := time.Now(), time.Now()
	t.Logf("at first: %v", before)
	for calls := 0; calls < wanted; {
		calls = c.round(t)
		now := settled(t, c.operator, before.fds)
		if calls >= wanted || time.Since(told) > time.Minute {
			told = time.Now()
			t.Logf("%d calls, %.0f s: %v", calls, time.Since(begin).Seconds(), now)
		}
		if now.fds > before.fds || now.threads > maxThreads ||
			now.maps > before.maps+maxMappings || now.rss > before.rss+maxGrowth {
			t.Fatalf("after %d calls the operator has %v; at first %v\n%s", calls, now, before, files(t, c.operator))
		}
	}
	c.next.Close()
	if err := c.cmd.Wait(); err != nil {
		t.Errorf("the crowd: %v\n%s", err, c.complaints(t))
	}
	nobodyLeft(t)
}
