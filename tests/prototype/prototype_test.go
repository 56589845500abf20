// SPDX-License-Identifier: Apache-2.0

package prototype_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"cloneat-emu/tests/built"
)

// under runs the program under the emulator and returns its output. It has a pid
// namespace of its own, so that its numbers are nobody else's.
func under(t *testing.T, flags []string, program ...string) (string, error) {
	t.Helper()
	args := append([]string{"-pf", "--kill-child", "--mount-proc", built.Emulator(t), "run", "--force"}, flags...)
	out, err := exec.Command("unshare", append(append(args, "--"), program...)...).CombinedOutput()
	return string(out), err
}

// TestPidfd: the prototype does what docs/prototype.md says, and that page shows
// what the test prints.
func TestPidfd(t *testing.T) {
	out, err := under(t, []string{"--prototype", "cloneat_pidfd"}, built.C(t, "tests/prototype/testdata/pidfd.c"))
	if err != nil || strings.Contains(out, "not ok") {
		t.Fatalf("%v\n%s", err, out)
	}
	page, err := os.ReadFile(filepath.Join(built.Root(t), "docs", "prototype.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), out) {
		t.Errorf("docs/prototype.md does not show this output:\n%s", out)
	}
}

// TestAbsent: without the flag there is no such call, and cloneat is there.
func TestAbsent(t *testing.T) {
	out, err := under(t, nil, built.C(t, "tests/prototype/testdata/pidfd.c"), "absent")
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestUnknown: a name that is none is refused, and the names that there are shown.
func TestUnknown(t *testing.T) {
	out, err := under(t, []string{"--prototype", "reparent"}, "true")
	if err == nil || !strings.Contains(out, `"reparent"`) || !strings.Contains(out, "cloneat_pidfd") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestTraceName: a trace shows the call by its own name.
func TestTraceName(t *testing.T) {
	out, err := under(t, []string{"--prototype", "cloneat_pidfd", "--trace"}, built.C(t, "tests/prototype/testdata/pidfd.c"))
	if err != nil || !regexp.MustCompile(`(?m)^\[pid \d+\] cloneat_pidfd\(9999, 0, .*\) = -1 EBADF`).MatchString(out) {
		t.Errorf("%v\n%s", err, out)
	}
}
