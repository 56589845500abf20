// SPDX-License-Identifier: Apache-2.0

package enter

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"cloneat-emu/tests/built"
)

// order is what a test binary that plays the command is to do. Without Target it
// makes a container itself by Maker, so as to be an ancestor of its init, and
// enters that by the call. Descriptor 3 is the container's standard input then.
type order struct {
	Target string
	Maker  []string
	// Old tells to do without what the kernel keeps for pidfds.
	Old bool
	Options
}

// TestMain lets the test binary be run as the command: the tests need a process
// of its own, with its own descriptors and exit status.
func TestMain(m *testing.M) {
	Init()
	text, ok := os.LookupEnv("ENTER_TEST_ORDER")
	if !ok {
		os.Exit(m.Run())
	}
	_ = os.Unsetenv("ENTER_TEST_ORDER")
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		panic(err)
	}
	os.Exit(play(&o))
}

// play is the command.
func play(o *order) int {
	if o.Old {
		keepsStatus = func(*os.File) bool { return false }
	}
	if o.Maker != nil {
		return playAncestor(o)
	}
	pid, err := Resolve(o.Target)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return StatusFailed
	}
	t, err := Open(pid)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return StatusFailed
	}
	status, err := Admin(&o.Options, t)
	var e *ExecError
	if errors.As(err, &e) {
		status = e.Status()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return status
}

// playAncestor is the command below which the container is.
func playAncestor(o *order) int {
	pid, err := makeContainer(o.Maker, os.NewFile(3, "hold"))
	if err == nil {
		var t *Target
		if t, err = Open(pid); err == nil {
			err = Call(&o.Options, t)
		}
	}
	fmt.Fprintln(os.Stderr, err)
	return StatusFailed
}

// makeContainer starts a container as [container] does, for a process that is
// going to be replaced.
func makeContainer(maker []string, in *os.File) (int, error) {
	cmd := exec.Command(maker[0], maker[1:]...)
	cmd.Stdin, cmd.Stderr = in, os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	if s := bufio.NewScanner(out); !s.Scan() || s.Text() != "ready" {
		return 0, fmt.Errorf("%v did not become ready", maker)
	}
	return findInit(cmd.Process.Pid)
}

// command prepares a run of the command.
func command(target int, o Options) *exec.Cmd {
	return commandOf(order{Target: strconv.Itoa(target), Options: o})
}

// commandOf prepares a run of an order.
func commandOf(o order) *exec.Cmd {
	text, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), "ENTER_TEST_ORDER="+string(text))
	return cmd
}

// result is what came of a run.
type result struct {
	status   int
	out, err string
}

// do runs the command to its end.
func do(t *testing.T, target int, o Options) result {
	t.Helper()
	return finish(t, command(target, o))
}

// finish runs a prepared command to its end.
func finish(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			t.Fatal(err)
		}
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}

// sh are options that run a shell script.
func sh(script string) Options { return Options{Command: []string{"sh", "-c", script}} }

// container starts what makes one; the container says "ready" when it is. The
// host's pid of its init is returned. It ends with the test, in good order, so that
// its processes are reaped by who made them.
func container(t *testing.T, maker ...string) int {
	t.Helper()
	cmd := exec.Command(maker[0], maker[1:]...)
	cmd.Stderr = os.Stderr
	hold, out := built.Talk(t, cmd) // its end is the container's end
	t.Cleanup(func() {
		_ = hold.Close()
		_ = cmd.Wait()
	})
	built.Says(t, out, "ready")
	return initBelow(t, cmd.Process.Pid)
}

// initBelow finds the process below a pid that is 1 in a namespace of its own.
func initBelow(t *testing.T, pid int) int {
	t.Helper()
	init, err := findInit(pid)
	if err != nil {
		t.Fatal(err)
	}
	return init
}

// findInit is initBelow. The list of processes grows while it is read.
func findInit(pid int) (int, error) {
	us, err := nspid(os.Getpid())
	if err != nil {
		return 0, err
	}
	for todo := []int{pid}; len(todo) > 0; todo = todo[1:] {
		p := todo[0]
		if n, err := nspid(p); err == nil && len(n) > len(us) && n[len(n)-1] == "1" {
			return p, nil
		}
		todo = append(todo, children(p)...)
	}
	return 0, fmt.Errorf("no init below %d", pid)
}

// children are a process's children, of all its threads.
func children(pid int) []int {
	var pids []int
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, l := range lists {
		b, _ := os.ReadFile(l)
		for _, c := range strings.Fields(string(b)) {
			n, _ := strconv.Atoi(c)
			pids = append(pids, n)
		}
	}
	return pids
}

// nspid are the numbers of a process, ours first.
func nspid(pid int) ([]string, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, ns, _ := strings.Cut(string(b), "NSpid:")
	ns, _, _ = strings.Cut(ns, "\n")
	return strings.Fields(ns), err
}

// unshared is a container made by unshare(1), whose init reaps what it adopts.
func unshared(t *testing.T) int {
	t.Helper()
	return container(t, unshareMaker...)
}

var unshareMaker = []string{
	"unshare", "-pfum", "--mount-proc", "--kill-child",
	"sh", "-c", "hostname inside; cd /etc; echo ready; while read x; do :; done",
}

var bubbleMaker = []string{
	"bwrap", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--unshare-pid", "--unshare-uts",
	"sh", "-c", "echo ready; while read x; do :; done",
}
