// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestMain makes the test binary a Go caller when it is asked to be one.
func TestMain(m *testing.M) {
	if os.Getenv("GO_CALLER") != "" {
		goCaller()
	}
	status := m.Run()
	leftovers.Range(func(dir, _ any) bool { return os.RemoveAll(dir.(string)) == nil })
	os.Exit(status)
}

// goCaller is a Go program that calls from a locked thread. Its clone has that
// thread alone, so it keeps to raw system calls.
func goCaller() {
	runtime.LockOSThread()
	target := exec.Command("/bin/sleep", "1000")
	if err := target.Start(); err != nil {
		panic(err)
	}
	yes := []byte("a clone of a Go program\n")
	fmt.Fprintf(os.Stderr, "thread %d\ntarget %d\n", unix.Gettid(), target.Process.Pid)
	// A signal of the runtime's own would end the pause, perhaps as it is to be cloned.
	all := ^uint64(0)
	_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, addressOf(&all), 0, 8, 0, 0)
	if r, _, _ := unix.RawSyscall6(pauseNr, 0, 0, 0, 0, 0, 0); r != 0 {
		_, _, _ = unix.RawSyscall(unix.SYS_EXIT_GROUP, 1, 0, 0)
	}
	_, _, _ = unix.RawSyscall(unix.SYS_WRITE, 1, addressOf(&yes[0]), uintptr(len(yes)))
	_, _, _ = unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
}

func TestCallers(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, want string
		argv       []string
	}{
		{"Python", `{"parent": true, "sum": 49995000, "spawned": "works\n"}` + "\n", []string{"/usr/bin/python3", "testdata/caller.py"}},
		{"Python, exec'ed target", `{"parent": true, "sum": 49995000, "spawned": "works\n"}` + "\n", []string{"/usr/bin/python3", "testdata/caller.py", "/bin/sleep", "1000"}},
		{"Go", "a clone of a Go program\n", []string{"GO_CALLER=1", self}},
		{"threads that keep running", "Threads:\t1", []string{program(t, "threads", "-pthread", "-static")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, c.argv...)
			settle(t, s.thread)
			o := s.transplant(s.thread, Options{})
			if o.err != nil {
				t.Fatal(o.err)
			}
			if err := s.cmd.Process.Signal(unix.Signal(0)); err != nil {
				t.Errorf("the caller is gone: %v", err)
			}
			got := s.readChild(t, o.pid)
			if got != c.want {
				t.Errorf("the child said %q, want %q", got, c.want)
			}
		})
	}
}

// readChild ends the caller, so that the child is the last one to hold the
// pipe, and reads what the child said.
func (s *subject) readChild(t *testing.T, _ int) string {
	t.Helper()
	_ = s.cmd.Process.Kill()
	text, err := io.ReadAll(s.out)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(string(text), "\x00")
}

// TestManyOfThem: more descriptors than a message carries, more mappings than a
// batch makes.
func TestManyOfThem(t *testing.T) {
	many := program(t, "many", "-static")
	for _, c := range []struct{ fds, maps string }{{"19990", "10"}, {"10", "30000"}, {"254", "10"}, {"1013", "5000"}} {
		t.Run(c.fds+" descriptors, "+c.maps+" mappings", func(t *testing.T) {
			s := start(t, many, c.fds, c.maps)
			settle(t, s.thread)
			o := s.transplant(s.thread, Options{})
			if o.err != nil {
				t.Fatal(o.err)
			}
			if got := s.readChild(t, o.pid); got != "right\n" {
				t.Errorf("the child said %q", got)
			}
		})
	}
}
