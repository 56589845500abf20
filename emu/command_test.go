// SPDX-License-Identifier: Apache-2.0

package emu_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"cloneat-emu/emu"
	"cloneat-emu/tests/built"
)

// output runs the command with a pipe for its stdout.
func output(t *testing.T, cmd *emu.Cmd) (string, error) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd.Stdout, cmd.Stderr = w, os.Stderr
	err = cmd.Start()
	w.Close()
	if err != nil {
		return "", err
	}
	out, readErr := io.ReadAll(r)
	return string(out), errors.Join(readErr, cmd.Wait())
}

// TestCommandEvents: every call is an event, told before Wait returns, and counted.
func TestCommandEvents(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	call := built.C(t, "cmd/cloneat-emu/testdata/call.c")
	cmd := emu.Command("sh", "-c", "$0 self; $0 probe; $0 self", call)
	var mu sync.Mutex
	var events []emu.Event
	cmd.Config.OnEvent = func(e emu.Event) {
		mu.Lock()
		defer mu.Unlock()
		events = append(events, e)
	}
	out, err := output(t, cmd)
	if err != nil || out != "child 7\n14\nchild 7\n" {
		t.Fatalf("%q, %v", out, err)
	}
	if len(events) != 3 || events[0].Result <= 0 || events[1].Result != -int64(unix.EFAULT) || events[2].Engine != "self" {
		t.Errorf("events: %+v", events)
	}
	if e := events[0]; e.Args == nil || e.Args.ExitSignal != int(unix.SIGCHLD) || e.Pid != e.Caller || e.Duration <= 0 {
		t.Errorf("first event: %+v", e)
	}
	s := cmd.Stats()
	if s.Calls != 3 || s.ByEngine["self"].Calls != 2 || s.ByEngine["self"].P99 <= 0 || s.Errors[unix.EFAULT] != 1 {
		t.Errorf("statistics: %+v", s)
	}
}

// TestCommandUnwatched: the calls are served, and nobody is told.
func TestCommandUnwatched(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	cmd := emu.Command(built.C(t, "cmd/cloneat-emu/testdata/call.c"), "self")
	cmd.Unwatched = true
	told := 0
	cmd.Config.OnEvent = func(emu.Event) { told++ }
	if out, err := output(t, cmd); err != nil || out != "child 7\n" {
		t.Fatalf("%q, %v", out, err)
	}
	if s := cmd.Stats(); told != 0 || s.Calls != 0 {
		t.Errorf("told of %d calls, counted %d", told, s.Calls)
	}
}

// TestEventsAreInOrder: a call is told of before those that its caller, or whoever waits
// for its child, makes next, however long its worker takes.
func TestEventsAreInOrder(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	call := built.C(t, "cmd/cloneat-emu/testdata/call.c")
	for what, step := range map[string]string{"self": "self: caller released", "target": "child released"} {
		cmd := emu.Command("sh", "-c", "$0 "+what+"; $0 probe", call)
		var results []int64
		cmd.Config.OnEvent = func(e emu.Event) { results = append(results, e.Result) }
		cmd.HoldAt(step)
		out, err := output(t, cmd)
		if err != nil || out != "child 7\n14\n" {
			t.Errorf("%s: %q, %v", what, out, err)
		}
		if len(results) != 2 || results[0] <= 0 || results[1] != -int64(unix.EFAULT) {
			t.Errorf("%s: results in the order of their events: %v", what, results)
		}
	}
}

// TestCommandFiles: extra files, environment and folder arrive.
func TestCommandFiles(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := w.WriteString("through 4\n"); err != nil {
		t.Fatal(err)
	}
	w.Close()
	cmd := emu.Command("sh", "-c", `cat <&4; echo "$A"; pwd`)
	cmd.ExtraFiles = []*os.File{nil, r}
	cmd.Env = append(os.Environ(), "A=b c")
	cmd.Dir = "/"
	if out, err := output(t, cmd); err != nil || out != "through 4\nb c\n/\n" {
		t.Errorf("%q, %v", out, err)
	}
}

// TestCommandEnds: how the program ended, and why it did not start.
func TestCommandEnds(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	var exit *emu.ExitError
	if err := emu.Command("sh", "-c", "exit 3").Run(); !errors.As(err, &exit) || exit.Status.ExitStatus() != 3 {
		t.Errorf("exit 3: %v", err)
	}
	if err := emu.Command("sh", "-c", "kill -USR1 $$").Run(); !errors.As(err, &exit) || exit.Status.Signal() != unix.SIGUSR1 {
		t.Errorf("kill: %v", err)
	}
	var start *emu.StartError
	if err := emu.Command("/no/such/file").Run(); !errors.As(err, &start) || !errors.Is(err, unix.ENOENT) {
		t.Errorf("no such file: %v", err)
	}
	cmd := emu.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err == nil || !strings.Contains(err.Error(), "already started") {
		t.Errorf("second Start: %v", err)
	}
	if err := cmd.Signal(unix.SIGTERM); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.Status.Signal() != unix.SIGTERM {
		t.Errorf("Signal: %v", err)
	}
	if err := cmd.Signal(unix.SIGTERM); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("Signal after the end: %v", err)
	}
}

// TestCommandsTogether: commands do not disturb each other.
func TestCommandsTogether(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	call := built.C(t, "cmd/cloneat-emu/testdata/call.c")
	var group sync.WaitGroup
	for i := range 6 {
		group.Go(func() {
			var exit *emu.ExitError
			err := emu.Command("sh", "-c", fmt.Sprintf("%s self >/dev/null; exit %d", call, i+1)).Run()
			if !errors.As(err, &exit) || exit.Status.ExitStatus() != i+1 {
				t.Errorf("command %d: %v", i, err)
			}
		})
	}
	group.Wait()
}
