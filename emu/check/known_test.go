// SPDX-License-Identifier: Apache-2.0

package check

import (
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/abi"
)

// sleeper is a process that does nothing, and a way to let it end.
func sleeper(t *testing.T) (pid int, end func()) {
	t.Helper()
	cmd := exec.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end = func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
	t.Cleanup(end)
	return cmd.Process.Pid, end
}

// meet opens a caller and keeps it.
func meet(t *testing.T, k *Known, tid, pid int) {
	t.Helper()
	c, err := k.Open(tid, pid)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	k.Keep(c)
}

func TestKnownCallerPassesTheRowsWithoutALook(t *testing.T) {
	a := newActor(t, unix.CLONE_NEWPID)
	var k Known
	if k.Self(a.PID(), 1) != nil {
		t.Fatal("known before it called")
	}
	meet(t, &k, a.PID(), 1)
	from := k.Self(a.PID(), 1)
	if from == nil {
		t.Fatal("not known although it called")
	}
	defer from.Close()
	c := &Call{Caller: from, Pid: 1, Args: &abi.Args{ExitSignal: int(unix.SIGCHLD)}}
	defer c.Close()
	if errno := c.Check(); errno != 0 || !c.Target.Self || c.Target.TGID != a.PID() || from.Thread != nil {
		t.Errorf("%v (%s), target %+v", errno, c.Cause, c.Target)
	}
	if got := k.Self(a.PID(), a.PID()); got != nil {
		t.Errorf("a number that it does not have itself: %+v", got)
	}
}

// TestKnownCallerEnds: its number may be another's from then on.
func TestKnownCallerEnds(t *testing.T) {
	pid, end := sleeper(t)
	var k Known
	meet(t, &k, pid, pid)
	if k.Self(pid, pid) == nil {
		t.Fatal("not known although it called")
	}
	end()
	if k.Self(pid, pid) != nil {
		t.Error("known although it ended")
	}
}

// TestKnownCallersAreFew, and their descriptors with them.
func TestKnownCallersAreFew(t *testing.T) {
	var k Known
	var pids []int
	for range knownMax + 1 {
		pid, _ := sleeper(t)
		pids = append(pids, pid)
		meet(t, &k, pid, pid)
	}
	for i, pid := range pids {
		if known := k.Self(pid, pid) != nil; known != (i > 0) {
			t.Errorf("caller %d of %d is known: %v", i, len(pids), known)
		}
	}
	for _, e := range k.last {
		if _, err := unix.FcntlInt(uintptr(e.pidfd), unix.F_GETFD, 0); err != nil {
			t.Errorf("pidfd %d: %v", e.pidfd, err)
		}
		unix.Close(e.pidfd)
	}
}

// TestKnownHasProcessesOnly: a thread's number alone does not tell how long it is one's.
func TestKnownHasProcessesOnly(t *testing.T) {
	a := newActor(t, 0)
	tid := a.do("thread")
	var k Known
	meet(t, &k, tid, a.PID())
	if k.Self(tid, a.PID()) != nil {
		t.Error("a thread that leads no process is known")
	}
}

// BenchmarkCaller is what a look at the caller costs, and what it costs to know it.
func BenchmarkCaller(b *testing.B) {
	a := newActor(b, 0)
	var k Known
	if c, err := k.Open(a.PID(), a.PID()); err == nil {
		k.Keep(c)
	}
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			c, err := OpenCaller(a.PID())
			if err != nil {
				b.Fatal(err)
			}
			c.Close()
		}
	})
	b.Run("known", func(b *testing.B) {
		for b.Loop() {
			if k.Self(a.PID(), a.PID()) == nil {
				b.Fatal("not known")
			}
		}
	})
}
