// SPDX-License-Identifier: Apache-2.0

package bystanders

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cloneat-emu/tests/built"
)

// selftests is the folder of the kernel's selftests, built, or "": only the fast
// part is run.
var selftests = os.Getenv("CLONEAT_SELFTESTS")

// fast are the sessions of make test, slow those that take long or need packages.
var (
	fast = []string{"setuid", "signals"}
	slow = []string{"gdb", "make", "podman", "runc", "strace", "sudo"}
	// packages are those of the Go distribution.
	packages = []string{"os/signal", "os/exec", "syscall", "os"}
)

// TestListsAreComplete: every session is run, and what expected.txt excuses is in a suite
// that is.
func TestListsAreComplete(t *testing.T) {
	root := built.Root(t)
	known := map[string]bool{}
	var names []string
	for _, name := range slices.Concat(fast, slow) {
		names = append(names, filepath.Join(root, "tests/bystanders/testdata/sessions", name+".sh"))
		known["session/"+name] = true
	}
	scripts, err := filepath.Glob(filepath.Join(root, "tests/bystanders/testdata/sessions/*"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	if diff := cmp.Diff(scripts, names); diff != "" {
		t.Errorf("sessions (-) and those that are run (+):\n%s", diff)
	}
	for _, pkg := range packages {
		known["go/"+pkg] = true
	}
	expected, err := ReadExpected(filepath.Join(root, "tests/bystanders/expected.txt"))
	if err != nil || len(expected) == 0 {
		t.Fatalf("%d suites are excused, %v", len(expected), err)
	}
	for suite := range expected {
		if program, ok := strings.CutPrefix(suite, "kernel/"); ok && selftests != "" {
			found, err := filepath.Glob(filepath.Join(selftests, "*", program))
			known[suite] = err == nil && len(found) == 1
		} else if ok {
			known[suite] = true // that is for make bystanders to see
		}
		if !known[suite] {
			t.Errorf("expected.txt excuses %s, which is no suite", suite)
		}
	}
}

// TestSessions: the same lines.
func TestSessions(t *testing.T) {
	names := fast
	if selftests != "" {
		names = append(names, slow...)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) { same(t, session(t, name)) })
	}
}

// deterministic are tests of package os/signal that neither take long nor depend on
// a terminal, or on how soon a signal comes (TestStop).
const deterministic = "^(TestSignal|TestIgnore|TestIgnored|TestReset|TestDetectNohup|TestNotifyContext.*)$"

// TestGo: the Go distribution's own tests.
func TestGo(t *testing.T) {
	if selftests == "" {
		same(t, goTests(t, "os/signal", "-test.run", deterministic))
		return
	}
	for _, pkg := range packages {
		t.Run(pkg, func(t *testing.T) { same(t, goTests(t, pkg)) })
	}
}

// TestKernel: the kernel's selftests, in the folders that make bystanders built.
func TestKernel(t *testing.T) {
	if selftests == "" {
		t.Skip("they take long: make bystanders")
	}
	programs, err := filepath.Glob(filepath.Join(selftests, "*/*"))
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, program := range programs {
		if st, err := os.Stat(program); err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0 {
			t.Run(filepath.Base(program), func(t *testing.T) { same(t, selftest(program)) })
			ran++
		}
	}
	if ran == 0 {
		t.Errorf("no programs in %s/*/", selftests)
	}
}

// same runs a suite twice natively and once under the supervisor.
func same(t *testing.T, s suite) {
	t.Helper()
	one, first := s.run(t)
	two, _ := s.run(t)
	supervised, output := s.run(t, built.Emulator(t), "run", "--")
	if len(one) == 0 {
		t.Fatalf("%s has no verdicts:\n%s", s.name, first)
	}
	diffs, unstable := compare(one, two, supervised)
	judge(t, s.name, diffs, unstable, output)
	t.Logf("%s: %d tests, %d differences (all expected), %d flip natively %q",
		s.name, len(one), len(diffs), len(unstable), unstable)
}

// judge holds the differences to expected.txt, both ways.
func judge(t *testing.T, suite string, diffs []Difference, unstable []string, output string) {
	t.Helper()
	all, err := ReadExpected(filepath.Join(built.Root(t), "tests/bystanders/expected.txt"))
	if err != nil {
		t.Fatal(err)
	}
	expected := all[suite]
	for _, d := range diffs {
		if _, ok := expected[d.Test]; !ok {
			t.Errorf("%s, %s: %q natively, %q under the supervisor", suite, d.Test, d.Native, d.Supervised)
		}
		delete(expected, d.Test)
	}
	for _, test := range unstable {
		delete(expected, test)
	}
	for test := range expected {
		t.Errorf("%s, %s: expected.txt says that it differs, but it does not", suite, test)
	}
	if t.Failed() {
		t.Fatalf("under the supervisor:\n%s", output)
	}
}

func TestVerdicts(t *testing.T) {
	got := []Verdicts{
		ofGo("=== RUN   TestA\n--- PASS: TestA (0.00s)\n    --- SKIP: TestA/b (0.10s)\n"),
		ofTAP("1..3\nok 1 [47] result (0)\nok 1 [47] result (0)\nnot ok 3 x\nok 4 y # SKIP no z\nPASS\n"),
		ofLines("uid: 1\nhello\n"),
	}
	want := []Verdicts{
		{"TestA": "PASS", "TestA/b": "SKIP"},
		{"[N] result (N)": "ok", "[N] result (N)#2": "ok", "x": "not ok", "y": "skip", "all": "PASS"},
		{"uid": "1", "line 2": "hello"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestCompare(t *testing.T) {
	diffs, unstable := compare(
		Verdicts{"same": "ok", "flips": "ok", "lost": "ok", "worse": "ok"},
		Verdicts{"same": "ok", "flips": "not ok", "lost": "ok", "worse": "ok"},
		Verdicts{"same": "ok", "flips": "ok", "worse": "not ok", "new": "ok"})
	wantDiffs := []Difference{{"lost", "ok", absent}, {"new", absent, "ok"}, {"worse", "ok", "not ok"}}
	if diff := cmp.Diff(wantDiffs, diffs); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"flips"}, unstable); diff != "" {
		t.Error(diff)
	}
}
