// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestReapChildOfOneThatDies: a tracee that is killed when it is about to reap its child has not
// reaped it, and whoever adopts the child has to.
func TestReapChildOfOneThatDies(t *testing.T) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0) })
	cmd, _, _ := start(t, "cat")
	pid := cmd.Process.Pid
	blockedIn(t, pid, "0")
	i, err := stopped(t, pid, ForkOptions).Begin()
	if err != nil {
		t.Fatal(err)
	}
	child, err := i.Fork(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	id, err := i.Finish()
	if err != nil {
		t.Fatal(err)
	}
	child.Die()
	child.OnReap = func() {
		if err := unix.Kill(pid, unix.SIGKILL); err != nil {
			t.Error(err)
		}
		for !strings.Contains(of(t, pid, "stat"), ") Z ") {
			continue
		}
	}
	if i.ReapChild(child, id) || !child.Reaped() {
		t.Errorf("the dead parent has reaped it; let go by its tracer: %v", child.Reaped())
	}
	if got, err := unix.Wait4(child.TID, nil, unix.WNOHANG|unix.WALL, nil); got != child.TID {
		t.Errorf("it is not ours: %d, %v", got, err)
	}
}
