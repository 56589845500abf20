// SPDX-License-Identifier: Apache-2.0

package call

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"cloneat-emu/tests/built"
)

// TestMain runs the tests under the emulator, where the call does not exist.
func TestMain(m *testing.M) {
	if !Available() && os.Getenv("CALL_UNDER") != "" {
		fmt.Fprintln(os.Stderr, "no cloneat under the emulator")
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// under runs the calling test again under the emulator, if it is not there, and
// reports whether that is done. There it has a pid namespace of its own, in which
// nobody else takes numbers.
func under(t *testing.T) bool {
	t.Helper()
	if Available() {
		return false
	}
	cmd := exec.Command("unshare", "-pf", "--kill-child", "--mount-proc", built.Emulator(t), "run", "--",
		os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1")
	cmd.Env = append(os.Environ(), "CALL_UNDER=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return true
}

// cat is a target.
func cat(t *testing.T) int {
	t.Helper()
	cmd := exec.Command("cat")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
	return cmd.Process.Pid
}

// output runs a script as a child of the target and returns what it writes into
// the file $OUT.
func output(t *testing.T, target, hint int, script string) (string, int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "out")
	c := Command{Path: "/bin/sh", Args: []string{"sh", "-c", script}, Env: []string{"OUT=" + path}}
	child, err := c.Start(target, hint)
	if err != nil {
		t.Error(err)
		return "", 0
	}
	defer child.PIDFD.Close()
	if err := child.Wait(); err != nil {
		t.Error(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
	}
	return strings.TrimSpace(string(b)), child.PID
}

func TestStart(t *testing.T) {
	if under(t) {
		return
	}
	target := cat(t)
	got, child := output(t, target, 0, `echo $$ $PPID > $OUT`)
	if want := fmt.Sprint(child, " ", target); got != want {
		t.Errorf("pid and parent: got %s, want %s", got, want)
	}
}

func TestHint(t *testing.T) {
	if under(t) {
		return
	}
	gone := exec.Command("true")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	hint := gone.Process.Pid // numbers are given in turn: this one is free
	got, child := output(t, cat(t), hint, `echo $$ > $OUT`)
	if child != hint || got != fmt.Sprint(hint) {
		t.Errorf("wanted %d, got %d, which says it is %s", hint, child, got)
	}
}

func TestSignalsAreAsBefore(t *testing.T) {
	if under(t) {
		return
	}
	got, _ := output(t, cat(t), 0, `sed -n '/^SigBlk\|^SigCgt/p' /proc/self/status > $OUT`)
	if want := "SigBlk:\t0000000000000000\nSigCgt:\t0000000000000000"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestErrors(t *testing.T) {
	if under(t) {
		return
	}
	target := cat(t)
	for _, c := range []struct {
		name, path   string
		target, hint int
		want         unix.Errno
	}{
		{"not a descendant", "/bin/true", os.Getppid(), 0, unix.EPERM},
		{"pid in use", "/bin/true", target, os.Getpid(), unix.EEXIST},
		{"no pid", "/bin/true", 1<<32 + target, 0, unix.EINVAL},
		{"no hint", "/bin/true", target, 1 << 32, unix.EINVAL},
		{"no such command", "/no/such", target, 0, unix.ENOENT},
		{"not executable", "/etc/passwd", target, 0, unix.EACCES},
	} {
		command := Command{Path: c.path, Args: []string{c.path}}
		if _, err := command.Start(c.target, c.hint); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
}

func TestManyAtATime(t *testing.T) {
	if under(t) {
		return
	}
	target := cat(t)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for range 5 {
				if got, child := output(t, target, 0, `echo $$ > $OUT`); got != fmt.Sprint(child) {
					t.Errorf("child %d says %q", child, got)
				}
			}
		})
	}
	wait.Wait()
}
