// SPDX-License-Identifier: Apache-2.0

package stress

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu"
	"cloneat-emu/emu/proc"
	"cloneat-emu/tests/built"
)

// The test process is the front of its commands, and gets what they leave.
func TestMain(m *testing.M) {
	emu.Init()
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// setting reads a number from the environment.
func setting(t *testing.T, name string, otherwise int) int {
	t.Helper()
	v := os.Getenv(name)
	if v == "" {
		return otherwise
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// storm is a program under the supervisor.
type storm struct {
	cmd      *emu.Cmd
	operator int
	says     *bufio.Reader
	stderr   *os.File
}

// startStorm starts the program and waits until it is at work.
func startStorm(t *testing.T, program string, args ...string) *storm {
	t.Helper()
	return startFrom(t, nil, program, args...)
}

// startFrom is the same with a standard input.
func startFrom(t *testing.T, stdin *os.File, program string, args ...string) *storm {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); stderr.Close() })
	cmd := emu.Command(program, args...)
	cmd.Config.OnEvent = func(e emu.Event) {
		if e.Result == -int64(unix.ENOSYS) {
			t.Errorf("the operator itself says ENOSYS: %+v", e)
		}
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, w, stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	s := &storm{cmd: cmd, operator: operatorOf(t), says: bufio.NewReader(r), stderr: stderr}
	if line, err := s.says.ReadString('\n'); err != nil {
		t.Fatalf("the storm said %q: %v\n%s", line, err, s.complaints(t))
	}
	return s
}

// operatorOf finds the operator among this process's children.
func operatorOf(t *testing.T) int {
	t.Helper()
	self, err := proc.Open(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	children, err := self.Children()
	if err != nil {
		t.Fatal(err)
	}
	for _, pid := range children {
		b, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
		if bytes.HasPrefix(b, []byte("cloneat-operator\x00")) {
			return pid
		}
	}
	t.Fatal("no operator among the children")
	return 0
}

// complaints are what the programs wrote to stderr.
func (s *storm) complaints(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(s.stderr.Name())
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

// settleBound is how long what a storm left may take to end.
const settleBound = 5 * time.Minute

// nobodyLeft reaps what the storm left behind, and fails for what does not end
// by itself: something is stopped, or lost.
func nobodyLeft(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(settleBound); ; time.Sleep(time.Millisecond) {
		pid, err := unix.Wait4(-1, nil, unix.WNOHANG|unix.WALL, nil)
		switch {
		case err == unix.ECHILD:
			return
		case err == nil && pid == 0 && time.Now().After(end):
			t.Fatalf("left behind after %v:\n%s", settleBound, children(t))
		}
	}
}

// children describes what is below this process, and ends it.
func children(t *testing.T) string {
	t.Helper()
	self, err := proc.Open(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	pids, err := self.Children()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, pid := range pids {
		stat, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		call, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/syscall")
		all = append(all, string(stat)+string(call))
		_ = unix.Kill(pid, unix.SIGKILL)
	}
	return strings.Join(all, "\n")
}

func TestStormLeavesTheSupervisorAsItWas(t *testing.T) {
	seconds := setting(t, "CLONEAT_SECONDS", 2)
	s := startStorm(t, built.C(t, "tests/stress/testdata/storm.c"), "4", strconv.Itoa(seconds))
	fds := entries(t, s.operator, "fd")
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("storm: %v\n%s", err, s.complaints(t))
	}
	stats := s.cmd.Stats()
	if stats.Calls == 0 || len(stats.Errors) != 0 {
		t.Errorf("%d calls, errors %v; want calls and no errors", stats.Calls, stats.Errors)
	}
	if fds > maxDescriptors {
		t.Errorf("the operator had %d descriptors in the storm, want at most %d", fds, maxDescriptors)
	}
	nobodyLeft(t)
	t.Logf("%d calls", stats.Calls)
}

// maxDescriptors bounds what the operator needs for four calls at a time.
const maxDescriptors = 100
