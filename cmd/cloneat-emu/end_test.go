// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"cloneat-emu/tests/built"
)

// leftover starts "call leave" under run. leave lets it end and leave a child behind; ask
// lets the child probe and returns the errno that it got.
func leftover(t *testing.T, flags ...string) (front *exec.Cmd, leave func(), ask func() string) {
	t.Helper()
	dir := bin(t)
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "ours"), os.NewFile(uintptr(pair[1]), "theirs")
	t.Cleanup(func() { ours.Close() })
	defer theirs.Close()
	args := append(append([]string{"run"}, flags...), "--", filepath.Join(dir, "call"), "leave", "3")
	front = exec.Command(filepath.Join(dir, "cloneat-emu"), args...)
	front.ExtraFiles = []*os.File{theirs}
	front.Stderr = os.Stderr
	if err := front.Start(); err != nil {
		t.Fatal(err)
	}
	leave = func() {
		if _, err := ours.Write([]byte("?")); err != nil {
			t.Fatal(err)
		}
	}
	return front, leave, func() string {
		leave() // the same byte, to the child
		buf := make([]byte, 16)
		n, err := ours.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		return string(buf[:n])
	}
}

// TestLeftRunning: what the program leaves running goes on, with ENOSYS.
func TestLeftRunning(t *testing.T) {
	front, leave, ask := leftover(t)
	leave()
	if err := front.Wait(); err != nil {
		t.Fatal(err)
	}
	if got, want := ask(), fmt.Sprint(int(unix.ENOSYS)); got != want {
		t.Errorf("after the end: errno %s, want %s", got, want)
	}
}

// TestLinger: with --linger it is served until it ends, and then nothing is left.
func TestLinger(t *testing.T) {
	front, leave, ask := leftover(t, "--linger")
	below := children(t, front.Process.Pid)
	leave()
	if err := front.Wait(); err != nil {
		t.Fatal(err)
	}
	if got, want := ask(), fmt.Sprint(int(unix.EFAULT)); got != want {
		t.Errorf("after the end: errno %s, want %s", got, want)
	}
	for _, pidfd := range below {
		awaitEnd(t, pidfd)
	}
}

// TestFrontKilled: the supervisor leaves when the front is killed; the program goes on.
func TestFrontKilled(t *testing.T) {
	c := startCounter(t)
	below := children(t, c.cmd.Process.Pid)
	if err := c.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for _, pidfd := range below {
		awaitEnd(t, pidfd)
	}
	c.until(t, "")
	c.in.Close()
	_ = c.cmd.Wait()
}

// TestOperatorKilled: without its operator the program goes on, with ENOSYS; signals
// and the exit status still pass.
func TestOperatorKilled(t *testing.T) {
	dir := bin(t)
	cmd := exec.Command(filepath.Join(dir, "cloneat-emu"), "run", "--", "sh", "-c",
		"echo ready; read x; "+filepath.Join(dir, "call")+" probe; exit 9")
	in, lines := built.Talk(t, cmd)
	built.Says(t, lines, "ready")
	operator := children(t, cmd.Process.Pid)[0]
	if err := unix.PidfdSendSignal(operator, unix.SIGKILL, nil, 0); err != nil {
		t.Fatal(err)
	}
	awaitEnd(t, operator)
	if _, err := in.Write([]byte("\n")); err != nil {
		t.Fatal(err)
	}
	if line, err := lines.ReadString('\n'); line != fmt.Sprintln(int(unix.ENOSYS)) {
		t.Errorf("%q, %v", line, err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 9 {
		t.Errorf("%v, want exit status 9", err)
	}
}

// TestKeeperKilled: nobody knows the program's end then, and the front says so.
func TestKeeperKilled(t *testing.T) {
	c := startCounter(t)
	if err := c.cmd.Process.Signal(unix.SIGHUP); err != nil {
		t.Fatal(err)
	}
	c.until(t, "1*1 ") // the front passes it on when it knows that the program was started
	if err := unix.PidfdSendSignal(children(t, c.cmd.Process.Pid)[1], unix.SIGKILL, nil, 0); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	err := c.cmd.Wait()
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("%v, want exit status 1", err)
	}
	c.in.Close() // ends the program
}

// children returns pidfds of the operator and the keeper below a front: of all
// descendants but the program.
func children(t *testing.T, pid int) (pidfds []int) {
	t.Helper()
	for deadline := time.Now().Add(hang); len(pidfds) < 2; { // they may be starting
		if time.Now().After(deadline) {
			t.Fatalf("no operator and keeper below %d", pid)
		}
		pidfds = nil
		for p := child(pid); p != 0; p = child(p) {
			name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", p))
			if !strings.HasPrefix(string(name), "cloneat-") {
				break
			}
			if fd, err := unix.PidfdOpen(p, 0); err == nil {
				pidfds = append(pidfds, fd)
				t.Cleanup(func() { unix.Close(fd) })
			}
		}
	}
	return pidfds
}

// child returns the child of any thread of a process, 0 if there is none.
func child(pid int) (child int) {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		data, _ := os.ReadFile(list)
		if _, err := fmt.Sscan(string(data), &child); err == nil {
			return child
		}
	}
	return 0
}

// hang is longer than anything takes, on a machine however slow.
const hang = 5 * time.Minute

// awaitEnd waits for a process that is not ours to wait for.
func awaitEnd(t *testing.T, pidfd int) {
	t.Helper()
	fds := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(fds, int(hang.Milliseconds()))
		if err == syscall.EINTR {
			continue
		}
		if n != 1 {
			t.Fatalf("a process of the supervisor is still there after %v", hang)
		}
		return
	}
}
