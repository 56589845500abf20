// SPDX-License-Identifier: Apache-2.0

package manual

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cloneat-emu/tests"
	"cloneat-emu/tests/built"
)

func page(t *testing.T) *Page {
	t.Helper()
	p, err := ReadPage(filepath.Join(built.Root(t), "kernel/man/cloneat.2"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func promises(t *testing.T) *Promises {
	t.Helper()
	p, err := ReadPromises(filepath.Join(built.Root(t), "tests/documented.txt"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// suite lists the checks of all conformance programs: those that must agree,
// and those that may differ.
func suite(t *testing.T) (all, documented []string) {
	t.Helper()
	programs, err := filepath.Glob(filepath.Join(built.Selftests(t), "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, program := range programs {
		if filepath.Ext(program) != "" {
			continue
		}
		out, err := exec.Command(program, "--describe").Output()
		if err != nil {
			t.Fatalf("%s --describe: %v", program, err)
		}
		for line := range strings.Lines(string(out)) {
			name, rest, _ := strings.Cut(line, "\t")
			all = append(all, strings.TrimSpace(name))
			if strings.Contains(rest, "\tdocumented: ") {
				documented = append(documented, name)
			}
		}
	}
	return all, documented
}

// TestErrors: the errors on the page are those that a check provokes.
func TestErrors(t *testing.T) {
	onPage, promised := page(t).Tags("ERRORS"), promises(t).Errors
	if diff := cmp.Diff(onPage, slices.Sorted(maps.Keys(promised))); diff != "" {
		t.Errorf("errors of the page (-) and of tests/documented.txt (+):\n%s", diff)
	}
	mustExist(t, promised)
}

// TestDifferences: page, tests/documented.txt and suite name the same.
func TestDifferences(t *testing.T) {
	onPage, promised := page(t).Checks("DIFFERENCES"), promises(t).Differences
	if diff := cmp.Diff(onPage, promised); diff != "" {
		t.Errorf("differences of the page (-) and of tests/documented.txt (+):\n%s", diff)
	}
	mustExist(t, promised)
	_, documented := suite(t)
	for _, check := range documented {
		if !slices.Contains(slices.Concat(slices.Collect(maps.Values(promised))...), check) {
			t.Errorf("check %s may differ, but the page does not say so", check)
		}
	}
}

// TestUML: what user-mode Linux is excused from is in the suite, with a reason.
func TestUML(t *testing.T) {
	all, _ := suite(t)
	for check, why := range tests.UML() {
		if !slices.Contains(all, check) {
			t.Errorf("tests/uml.txt: there is no check %s in the suite", check)
		}
		if why == "" {
			t.Errorf("tests/uml.txt: no reason for %s", check)
		}
	}
}

func mustExist(t *testing.T, promised map[string][]string) {
	t.Helper()
	all, _ := suite(t)
	for name, checks := range promised {
		for _, check := range checks {
			if check != "-" && !slices.Contains(all, check) {
				t.Errorf("%s: there is no check %s in the suite", name, check)
			}
		}
	}
}

// TestExample: the program of the page compiles as it stands and does what the
// page says that it does.
func TestExample(t *testing.T) {
	source := filepath.Join(t.TempDir(), "example.c")
	if err := os.WriteFile(source, []byte(page(t).Example()), 0o644); err != nil {
		t.Fatal(err)
	}
	program := built.C(t, source)
	out, err := exec.Command(built.Emulator(t), "run", "--", program).CombinedOutput()
	if want := "the clone told its parent: 42\n"; err != nil || string(out) != want {
		t.Errorf("got %q, %v, want %q", out, err, want)
	}
}
