// SPDX-License-Identifier: Apache-2.0

package stress

import (
	"io"
	"math"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"cloneat-emu/tests/built"
)

// limited runs a program of testdata below a supervisor with a limit, which also binds
// the program.
func limited(t *testing.T, limit, source string, args ...string) (string, error) {
	t.Helper()
	// What this process has inherited would count.
	if err := unix.CloseRange(3, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	args = append([]string{limit, built.Emulator(t), "run", "--", built.C(t, "tests/stress/testdata/"+source)}, args...)
	return built.Output(t, func(out *os.File) error {
		cmd := exec.Command("prlimit", args...)
		cmd.Stdout, cmd.Stderr = out, out
		return cmd.Run()
	})
}

// TestFewDescriptors: a supervisor that may open no more files than it takes for one
// call serves one after the other, and none fails.
func TestFewDescriptors(t *testing.T) {
	if out, err := limited(t, "--nofile=72:72", "storm.c", "4", "1"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	nobodyLeft(t)
}

// TestManyWaitFew: callers that wait in vfork keep nobody from being served.
func TestManyWaitFew(t *testing.T) {
	if out, err := limited(t, "--nofile=72:72", "waiters.c", "30"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	nobodyLeft(t)
}

// TestDescriptorsTakenAway: a supervisor whose limit was lowered tells its callers that
// it has no means, and serves them again when it has.
func TestDescriptorsTakenAway(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	script := "for i in 1 2 3; do echo turn; read x; $0 forked 1 2 >&2; echo $?; done"
	s := startFrom(t, r, "sh", "-c", script, built.C(t, "tests/bench/loops/loops.c"))
	r.Close()
	var before unix.Rlimit
	if err := unix.Prlimit(s.operator, unix.RLIMIT_NOFILE, nil, &before); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"0\nturn\n", "1\nturn\n", "0\n"} {
		limit := before
		if i == 1 {
			limit.Cur = 64
		}
		if err := unix.Prlimit(s.operator, unix.RLIMIT_NOFILE, &limit, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := w.WriteString("\n"); err != nil {
			t.Fatal(err)
		}
		if got := s.read(t, len(want)); got != want {
			t.Errorf("turn %d: %q, want %q\n%s", i, got, want, s.complaints(t))
		}
	}
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, s.complaints(t))
	}
	if !strings.Contains(s.complaints(t), "Cannot allocate memory") {
		t.Errorf("no word of ENOMEM: %q", s.complaints(t))
	}
	nobodyLeft(t)
}

// read takes so many bytes of the program's output.
func (s *storm) read(t *testing.T, n int) string {
	t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(s.says, b); err != nil {
		t.Fatalf("%q: %v\n%s", b, err, s.complaints(t))
	}
	return string(b)
}

// TestTooFewDescriptors: one that may open fewer says so, and does not start anything.
func TestTooFewDescriptors(t *testing.T) {
	out, err := limited(t, "--nofile=71:71", "storm.c", "1", "1")
	if err == nil || !strings.Contains(out, "RLIMIT_NOFILE") || strings.Contains(out, "storming") {
		t.Errorf("%v\n%s", err, out)
	}
	nobodyLeft(t)
}
