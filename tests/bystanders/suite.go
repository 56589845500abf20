// SPDX-License-Identifier: Apache-2.0

package bystanders

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"cloneat-emu/tests/built"
)

// suite is a program that nobody here wrote.
type suite struct {
	name  string
	dir   string // where it runs; empty: a new folder each time
	args  []string
	parse func(output string) Verdicts
}

// run runs the suite once. It is a session of its own, so that neither a terminal
// nor a signal to the process group makes a difference.
func (s suite) run(t *testing.T, before ...string) (Verdicts, string) {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	args := append(before, s.args...)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = out, out, s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if s.dir == "" {
		cmd.Dir = built.OpenDir(t)
	}
	var failed *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	text, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	return s.parse(string(text)), string(text)
}

// goTests builds the tests of a package of the Go distribution. Without cgo: that
// is how the rest of this project is built, and cached.
func goTests(t *testing.T, pkg string, args ...string) suite {
	t.Helper()
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(strings.TrimSpace(string(goroot)), "src", pkg)
	program := filepath.Join(built.OpenDir(t), "tests")
	build := exec.Command("go", "test", "-c", "-o", program, pkg)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", build.Args, err, out)
	}
	return suite{"go/" + pkg, dir, append([]string{program, "-test.v", "-test.short"}, args...), ofGo}
}

// selftest is one of the kernel's own, built below dir.
func selftest(program string) suite {
	return suite{"kernel/" + filepath.Base(program), filepath.Dir(program), []string{program}, ofTAP}
}

// session is one of testdata/sessions.
func session(t *testing.T, name string) suite {
	t.Helper()
	script := filepath.Join(built.Root(t), "tests/bystanders/testdata/sessions", name+".sh")
	return suite{"session/" + name, "", []string{"bash", "-eu", script}, ofLines}
}
