// SPDX-License-Identifier: Apache-2.0

package zygote

import (
	"bufio"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"cloneat-emu/tests/built"
)

// server is a zygote under the emulator, with all that it starts in one process
// group.
type server struct {
	*testing.T
	path  string
	group int
}

// start starts a zygote that serves until the test ends. It must then end with
// status 0 and leave no process.
func start(t *testing.T, mode string) *server {
	t.Helper()
	return startIn(t, mode, "bwrap")
}

// startIn is start with sandboxes of some maker.
func startIn(t *testing.T, mode, maker string) *server {
	t.Helper()
	s := &server{T: t, path: filepath.Join(t.TempDir(), "socket")}
	cmd := exec.Command(built.Emulator(t), "run", "--",
		"/usr/bin/python3", "-B", "zygote.py", "--sandbox", mode, "--maker", maker, s.path)
	cmd.SysProcAttr = &unix.SysProcAttr{Setpgid: true}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.group = cmd.Process.Pid
	t.Cleanup(func() { s.end(cmd) })
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("the zygote says %q", line)
	}
	return s
}

func (s *server) end(cmd *exec.Cmd) {
	if err := cmd.Process.Signal(unix.SIGTERM); err != nil {
		s.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		s.Errorf("the zygote: %v", err)
	}
	if left := s.left(); len(left) > 0 {
		s.Errorf("processes are left in group %d: %v", s.group, left)
		unix.Kill(-s.group, unix.SIGKILL)
	}
}

// left returns the server's processes that do not end by themselves.
func (s *server) left() (found []int) {
	for _, pid := range s.members() {
		if !ends(pid) {
			found = append(found, pid)
		}
	}
	return found
}

// connect makes the zygote clone itself; the clone waits for its request.
func (s *server) connect() net.Conn {
	s.Helper()
	c, err := net.Dial("unix", s.path)
	if err != nil {
		s.Fatal(err)
	}
	return c
}

// ask returns the answer to a request, "" if the clone died of it.
func (s *server) ask(request string) string {
	s.Helper()
	c := s.connect()
	defer c.Close()
	if _, err := io.WriteString(c, request+"\n"); err != nil {
		s.Fatal(err)
	}
	return s.rest(c)
}

// rest is what comes until the clone is gone.
func (s *server) rest(c net.Conn) string {
	s.Helper()
	b, err := io.ReadAll(c)
	if err != nil {
		s.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

// inits returns the pids of the sandboxes' first processes.
func (s *server) inits() (found []int) {
	s.Helper()
	for _, pid := range s.members() {
		if firstInside(pid) {
			found = append(found, pid)
		}
	}
	return found
}

// members returns the pids of the server's process group.
func (s *server) members() (found []int) {
	s.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		s.Fatal(err)
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if group, err := unix.Getpgid(pid); err == nil && group == s.group {
			found = append(found, pid)
		}
	}
	return found
}

// firstInside reports whether a process is 1 in a namespace below ours.
func firstInside(pid int) bool {
	status, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	for line := range strings.Lines(string(status)) {
		if numbers, ok := strings.CutPrefix(line, "NSpid:"); ok {
			f := strings.Fields(numbers)
			return len(f) > 1 && f[len(f)-1] == "1"
		}
	}
	return false
}
