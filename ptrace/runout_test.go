// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// helperOf makes a thread of the tracee's that waits for a child of its own in a
// clone, as a helper of the init engine does.
func helperOf(t *testing.T, i *Injection) (helper *Injection, child *Stopped) {
	t.Helper()
	const shared = unix.CLONE_VM | unix.CLONE_VFORK
	stopped, err := i.Fork(unix.SYS_CLONE, shared|unix.CLONE_THREAD|unix.CLONE_SIGHAND, 0, 0, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	if helper, err = stopped.Begin(); err != nil {
		t.Fatal(err)
	}
	helper.Ends = true
	if child, err = helper.Fork(unix.SYS_CLONE, shared, 0, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	if err := child.SetOptions(unix.PTRACE_O_EXITKILL); err != nil {
		t.Fatal(err)
	}
	return helper, child
}

// of reads a file of the process pid.
func of(t *testing.T, pid int, name string) string {
	t.Helper()
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// runOut ends a helper and its child, and lets the tracee go. meanwhile is done before.
func runOut(t *testing.T, pid int, meanwhile func(helper int)) {
	t.Helper()
	s := stopped(t, pid, ForkOptions)
	i, err := s.Begin()
	if err != nil {
		t.Fatal(err)
	}
	helper, child := helperOf(t, i)
	child.Die()
	meanwhile(helper.TID)
	if !helper.RunOut(i, sync.OnceFunc(child.Reap)) {
		t.Fatal("no guard to run out into")
	}
	if err := helper.UnguardBy(i.Stopped); err != nil {
		t.Error(err)
	}
	if _, err := i.Finish(); err != nil {
		t.Fatal(err)
	}
	if err := i.End(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(of(t, pid, "status"), "\nThreads:\t1\n") {
		t.Error("the helper is still there")
	}
	if left := of(t, pid, "task/"+strconv.Itoa(pid)+"/children"); left != "" {
		t.Errorf("children are left: %q", left)
	}
	if err := i.LetGo(); err != nil {
		t.Fatal(err)
	}
}

func TestRunOutLeavesNeitherHelperNorChild(t *testing.T) {
	cmd, in, out := start(t, "cat")
	blockedIn(t, cmd.Process.Pid, "0")
	runOut(t, cmd.Process.Pid, func(int) {})
	echoes(t, cmd, in, out)
}

// TestRunOutHandsAStopOn: a SIGSTOP that the helper took out of its queue stops the
// process when that is let go.
func TestRunOutHandsAStopOn(t *testing.T) {
	cmd, _, _ := start(t, "cat")
	pid := cmd.Process.Pid
	blockedIn(t, pid, "0")
	runOut(t, pid, func(helper int) {
		if err := unix.Tgkill(pid, helper, unix.SIGSTOP); err != nil {
			t.Fatal(err)
		}
	})
	var status unix.WaitStatus
	_, err := unix.Wait4(pid, &status, unix.WUNTRACED, nil)
	for errors.Is(err, unix.EINTR) {
		_, err = unix.Wait4(pid, &status, unix.WUNTRACED, nil)
	}
	if err != nil || !status.Stopped() || status.StopSignal() != unix.SIGSTOP {
		t.Errorf("after a SIGSTOP: %v, status %#x", err, status)
	}
}
