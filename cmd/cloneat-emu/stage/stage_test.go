// SPDX-License-Identifier: Apache-2.0

package stage

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// begin starts a stage that ends with the test.
func begin(t *testing.T, set ...func(*exec.Cmd)) (*Machine, *Task, *exec.Cmd) {
	t.Helper()
	m, err := New()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := m.Command(ctx)
	for _, f := range set {
		f(cmd)
	}
	task := m.Main()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
		_ = m.Close()
	})
	if err := task.AwaitBirth(); err != nil {
		t.Fatal(err)
	}
	return m, task, cmd
}

func TestCall(t *testing.T) {
	_, task, cmd := begin(t)
	if pid, err := task.Call(unix.SYS_GETPID); err != nil || int(pid) != cmd.Process.Pid {
		t.Errorf("getpid: %d, %v", pid, err)
	}
	if _, err := task.Call(unix.SYS_CLOSE, 77); err != unix.EBADF {
		t.Errorf("close(77): %v", err)
	}
}

func TestCloneServesItsOwnSlot(t *testing.T) {
	m, task, cmd := begin(t)
	child := m.NewTask()
	pid, err := task.Clone(child, unix.SYS_CLONE, uintptr(unix.SIGCHLD))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := child.Call(unix.SYS_GETPPID); err != nil || int(got) != cmd.Process.Pid {
		t.Errorf("child's getppid: %d, %v", got, err)
	}
	if got, err := task.Call(unix.SYS_GETPID); err != nil || int(got) != cmd.Process.Pid {
		t.Errorf("maker's getpid: %d, %v", got, err)
	}
	child.Start(nil, unix.SYS_EXIT_GROUP, 0)
	if got, err := task.Call(unix.SYS_WAIT4, uintptr(pid), 0, 0, 0); err != nil || int(got) != pid {
		t.Errorf("wait4: %d, %v", got, err)
	}
}

func TestThreads(t *testing.T) {
	m, task, _ := begin(t)
	thread := m.NewTask()
	const flags = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_THREAD
	tid, err := task.Clone(thread, unix.SYS_CLONE, flags)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := thread.Call(unix.SYS_GETTID); err != nil || int(got) != tid {
		t.Errorf("gettid: %d, %v; the maker was told %d", got, err, tid)
	}
}

func TestGoneTaskIsNoticed(t *testing.T) {
	_, task, cmd := begin(t)
	fd, err := unix.PidfdOpen(cmd.Process.Pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	task.Gone = func() bool { return Exited(fd) }
	task.Start(nil, unix.SYS_EXIT_GROUP, 3)
	if _, err := task.Finish(); !errors.Is(err, ErrGone) {
		t.Errorf("error %v", err)
	}
}

func TestIdlerReportsAndEnds(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	_, task, cmd := begin(t, func(c *exec.Cmd) {
		c.Stdout = w
		c.SysProcAttr = &unix.SysProcAttr{Setsid: true}
	})
	_ = w.Close()
	if err := task.Idle(); err != nil {
		t.Fatal(err)
	}
	in, pid := bufio.NewReader(r), cmd.Process.Pid
	want := fmt.Sprintf("pid %d ppid %d pgid %d sid %d\n", pid, os.Getpid(), pid, pid)
	for range 2 {
		if err := unix.Kill(pid, unix.SIGUSR1); err != nil {
			t.Fatal(err)
		}
		if line, err := in.ReadString('\n'); line != want {
			t.Errorf("said %q (%v), not %q", line, err, want)
		}
	}
	if err := unix.Kill(pid, unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("ended with %v", err)
	}
}

// TestOwnerGone: who gave the orders has died. A task that waits for the next one ends, and its
// maker, too, when it has carried out its last one.
func TestOwnerGone(t *testing.T) {
	m, err := New()
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Own(); err != nil {
		t.Fatal(err)
	}
	cmd := m.Command(t.Context())
	task := m.Main()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := task.AwaitBirth(); err != nil {
		t.Fatal(err)
	}
	child := m.NewTask()
	if _, err := task.Clone(child, unix.SYS_CLONE, uintptr(unix.SIGCHLD)); err != nil {
		t.Fatal(err)
	}
	task.Start(nil, unix.SYS_WAITID, unix.P_ALL, 0, 0, unix.WEXITED)
	m.disown()
	if _, err := task.Finish(); err != nil {
		t.Error(err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 137 {
		t.Errorf("%v, want status 137", err)
	}
	_ = m.Close()
}

// TestCloseEndsTasks: who gave the orders lives on, and has let go of the memory.
func TestCloseEndsTasks(t *testing.T) {
	var cmds []*exec.Cmd
	for range 8 { // the thread that owns one may be any
		m, err := New()
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Own(); err != nil {
			t.Fatal(err)
		}
		cmd := m.Command(t.Context())
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if err := m.Main().AwaitBirth(); err != nil {
			t.Fatal(err)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
		cmds = append(cmds, cmd)
	}
	late := time.AfterFunc(10*time.Second, func() {
		for _, cmd := range cmds {
			_ = cmd.Process.Kill()
		}
	})
	defer late.Stop()
	for _, cmd := range cmds {
		var exit *exec.ExitError
		if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 137 {
			t.Errorf("%v, want status 137", err)
		}
	}
}
