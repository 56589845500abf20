// SPDX-License-Identifier: Apache-2.0

package security

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cloneat-emu/tests/built"
)

// skipped is the attack's exit status where its means do not exist.
const skipped = 77

// TestAttacks: none of them succeeds.
func TestAttacks(t *testing.T) {
	program := attack(t)
	files, err := exec.Command(program, "--files").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range attacks(t, program) {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(built.Emulator(t), "run", "--log-level", "warn", "--", program, name)
			cmd.Dir = built.OpenDir(t)
			cmd.Env = append(os.Environ(), "NATIVE_FILES="+strings.TrimSpace(string(files)))
			out, err := output(t, cmd)
			var exit *exec.ExitError
			switch {
			case errors.As(err, &exit) && exit.ExitCode() == skipped:
				t.Skip(out)
			case err != nil:
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// output runs cmd and returns what it wrote.
func output(t *testing.T, cmd *exec.Cmd) (string, error) {
	t.Helper()
	return built.Output(t, func(out *os.File) error {
		cmd.Stdout, cmd.Stderr = out, out
		return cmd.Run()
	})
}

// attack builds the program where other users find it.
func attack(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(built.C(t, "tests/security/testdata/attack.c"))
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(built.OpenDir(t), "attack")
	if err := os.WriteFile(program, data, 0o755); err != nil {
		t.Fatal(err)
	}
	return program
}

func attacks(t *testing.T, program string) []string {
	t.Helper()
	out, err := exec.Command(program, "--list").Output()
	if err != nil {
		t.Fatal(err)
	}
	names := strings.Fields(string(out))
	if len(names) == 0 {
		t.Fatal("there are no attacks")
	}
	return names
}

// TestDocument: docs/security.md names every attack, and nothing that is no test:
// `attack.NAME`, `PROGRAM.CHECK` of the conformance suite, or `TestNAME` of the
// package whose folder comes before it.
func TestDocument(t *testing.T) {
	root := built.Root(t)
	page, err := os.ReadFile(filepath.Join(root, "docs/security.md"))
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, m := range regexp.MustCompile("`attack\\.([a-z_]+)`").FindAllSubmatch(page, -1) {
		named = append(named, string(m[1]))
	}
	slices.Sort(named)
	if diff := cmp.Diff(attacks(t, attack(t)), slices.Compact(named)); diff != "" {
		t.Errorf("attacks (-) and docs/security.md (+):\n%s", diff)
	}
	checks := regexp.MustCompile("`([a-z_0-9]+\\.[a-z_0-9]+)`").FindAllSubmatch(page, -1)
	for _, m := range checks {
		if name := string(m[1]); !strings.HasPrefix(name, "attack.") && !isCheck(t, name) {
			t.Errorf("%s is no check of the conformance suite", name)
		}
	}
	tests := regexp.MustCompile("`([a-z/-]+)/(Test[A-Za-z0-9]+)`").FindAllSubmatch(page, -1)
	if n := bytes.Count(page, []byte("/Test")); n != len(tests) || n == 0 || len(checks) <= len(named) {
		t.Errorf("the page names %d checks and %d attacks; %d tests, of which %d are looked for", len(checks), len(named), n, len(tests))
	}
	for _, m := range tests {
		if !isTest(t, filepath.Join(root, string(m[1])), string(m[2])) {
			t.Errorf("there is no test %s in %s", m[2], m[1])
		}
	}
}

func isCheck(t *testing.T, name string) bool {
	t.Helper()
	program, _, _ := strings.Cut(name, ".")
	out, err := exec.Command(filepath.Join(built.Selftests(t), program), "--describe").Output()
	return err == nil && bytes.Contains(out, []byte(name+"\t"))
}

func isTest(t *testing.T, dir, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err == nil && bytes.Contains(text, []byte("\nfunc "+name+"(")) {
			return true
		}
	}
	return false
}
