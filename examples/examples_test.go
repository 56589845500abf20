// SPDX-License-Identifier: Apache-2.0

package examples

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cloneat-emu/tests/built"
)

// under runs a program under the emulator and returns its masked output.
func under(t *testing.T, program ...string) string {
	t.Helper()
	cmd := alone(append([]string{built.Emulator(t), "run", "--"}, program...)...)
	cmd.Dir = built.Root(t)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	return mask(string(out))
}

func same(t *testing.T, got, want string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("wanted (-), got (+):\n%s", diff)
	}
}

func TestC(t *testing.T) {
	same(t, under(t, built.C(t, "examples/c/spawn.c")), `caller #1, cat #2
child #3: cat is my parent: yes; I hold the caller's memory
caller: child #3 has ended; wait says: No child processes`)
}

func TestPython(t *testing.T) {
	same(t, under(t, "python3", "examples/python/spawn.py"), `caller #1, cat #2
child #3: cat is my parent: yes; #4 squared is still #5
caller: into its own parent: Operation not permitted`)
}

// TestPythonModule runs the module's own tests, where nobody else takes numbers.
func TestPythonModule(t *testing.T) {
	cmd := alone(built.Emulator(t), "run", "--", "python3", "-B", "-m", "unittest", "test_cloneat")
	cmd.Dir = filepath.Join(built.Root(t), "examples", "python")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
}

func TestGo(t *testing.T) {
	program := filepath.Join(t.TempDir(), "spawn")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", program, "./go")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", build.Args, err, out)
	}
	same(t, under(t, program), `caller #1, cat #2
child #3: cat is my parent
caller: child #3 has ended`)
}

// TestDemoWithoutPrivilege: make demo does it in a user namespace if need be.
func TestDemoWithoutPrivilege(t *testing.T) {
	if err := exec.Command("unshare", "-U", "true").Run(); err != nil {
		t.Skip("no user namespaces here: ", err)
	}
	sources, err := filepath.Glob("demo/*.c")
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range sources {
		sources[i] = filepath.Join("examples", name)
	}
	programs := built.ForAll(t, built.Emulator(t), built.C(t, sources...))
	line := []string{programs[0], "run", "--userns", "--", programs[1]}
	if os.Geteuid() == 0 {
		line = append([]string{"setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"}, line...)
	}
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Dir = "/"
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.HasSuffix(string(out), "\nevery claim holds\n") {
		t.Errorf("%v: %v\n%s", cmd.Args, err, out)
	}
}

// TestFixture tests ps on a tree that was made for it.
func TestFixture(t *testing.T) {
	cmd := exec.Command(built.Emulator(t), "tree", "build", "-q", "--strict", "odd.json", "--", "./ps")
	cmd.Dir = filepath.Join(built.Root(t), "examples", "fixture")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	same(t, strings.TrimSpace(string(out)), `ok one child of init
ok a line end in a name stays in its line
ok the zombie has its parent
ok groups are told apart
ok all three in one session
ok whose leader nobody is`)
}
