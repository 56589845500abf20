// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
)

// A wait for a child in the making that sleeps for ever is given up; what comes first is had.
func TestStuck(t *testing.T) {
	cmd, _, _ := start(t, "cat")
	blockedIn(t, cmd.Process.Pid, "0")
	i, err := stopped(t, cmd.Process.Pid, unix.PTRACE_O_TRACESYSGOOD).Begin()
	if err != nil {
		t.Fatal(err)
	}
	i.Hold = true
	pid, err := i.Call(unix.SYS_GETPID)
	if err != nil || int(pid) != cmd.Process.Pid {
		t.Fatalf("getpid: %d, %v", pid, err)
	}
	from := time.Now()
	_, err = i.Call(unix.SYS_PPOLL, 0, 0, 0, 0, 0)
	if !errors.Is(err, ErrStuck) {
		t.Errorf("ppoll: %v", err)
	}
	if took := time.Since(from); took < Patience {
		t.Errorf("given up after %v", took)
	}
	if !i.DieWithin(Patience) {
		t.Error("it does not end when it is killed")
	}
}

// Who is frozen does not sleep for ever.
func TestFrozenIsNotStuck(t *testing.T) {
	t.Run("unified", func(t *testing.T) { frozenIsNotStuck(t, "", "cgroup.freeze", "1") })
	t.Run("version 1", func(t *testing.T) { frozenIsNotStuck(t, "freezer", "freezer.state", "FROZEN") })
}

func frozenIsNotStuck(t *testing.T, controllers, file, value string) {
	cmd, _, _ := start(t, "cat")
	tid := cmd.Process.Pid
	blockedIn(t, tid, "0")
	looked := func() *lookout {
		l := &lookout{tid: tid, hold: true, sleep: sleepOf(tid), since: time.Now().Add(-2 * Patience)}
		l.look()
		return l
	}
	if !looked().stuck() {
		t.Error("who waits in read(2) is not taken to sleep")
	}
	freeze(t, cmd, controllers, file, value)
	for !mayBeFrozen(tid) {
		time.Sleep(time.Millisecond)
	}
	if looked().stuck() {
		t.Error("who is frozen is given up")
	}
}

// freeze does it in a control group of its own.
func freeze(t *testing.T, cmd *exec.Cmd, controllers, file, value string) {
	t.Helper()
	mounts, err := proc.MountedCgroups()
	if err != nil {
		t.Fatal(err)
	}
	at, mounted := mounts.At(controllers)
	if !mounted {
		t.Skip("no such control groups here")
	}
	group, err := os.MkdirTemp(at, "frozen-")
	if err != nil {
		t.Skip(err)
	}
	write := func(file, value string) {
		if err := os.WriteFile(filepath.Join(group, file), []byte(value), 0); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if controllers != "" { // there even a killed process stays frozen
			write(file, "THAWED")
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = os.Remove(group)
	})
	write("cgroup.procs", strconv.Itoa(cmd.Process.Pid))
	write(file, value)
}
