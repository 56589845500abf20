// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
)

// TestInitEnds: an init that is killed on its way to a stop waits for its child, a tracee of the
// thread that waits for the init.
func TestInitEnds(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.Command("sh", "-c", "sleep 1000 & read x")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if err := cmd.Start(); err != nil {
		t.Skip(err)
	}
	defer cmd.Wait()         //nolint:errcheck // it is killed
	defer cmd.Process.Kill() //nolint:errcheck // again
	blockedIn(t, cmd.Process.Pid, "0")
	child := stopped(t, onlyChild(t, cmd.Process.Pid), 0)
	r, err := Seize(cmd.Process.Pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	_ = cmd.Process.Kill()
	for !proc.Exiting(r.TID) {
		time.Sleep(time.Millisecond)
	}
	if err := r.Interrupt(); err != nil {
		t.Fatal(err)
	}
	over := time.AfterFunc(slowBound/2, func() { t.Error("waits for itself") })
	if _, _, err := r.AwaitStop(nil); !Gone(err) {
		t.Errorf("the init's stop: %v", err)
	}
	over.Stop()
	child.Reap()
	if _, err := r.WaitExit(); err != nil {
		t.Error(err)
	}
}

func onlyChild(t *testing.T, pid int) int {
	t.Helper()
	dir, err := proc.Open(pid)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	children, err := dir.Children()
	if err != nil || len(children) != 1 {
		t.Fatalf("children %v: %v", children, err)
	}
	return children[0]
}
