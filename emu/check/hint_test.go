// SPDX-License-Identifier: Apache-2.0

package check

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
	"cloneat-emu/internal/reexec"
)

// pidMaxFile shows the limit of its reader's namespace.
const pidMaxFile = "/proc/sys/kernel/pid_max"

func pidMax(t *testing.T) int {
	t.Helper()
	limit, err := proc.PIDMax()
	if err != nil {
		t.Fatal(err)
	}
	return limit
}

func TestHintRange(t *testing.T) {
	a := newActor(t, 0)
	child, limit := a.do("spawn plain"), pidMax(t)
	for hint, errno := range map[int]unix.Errno{
		1: 0, 299: 0, 300: 0, limit - 1: 0, limit: unix.EINVAL, 1 << 22: unix.EINVAL, 1<<31 - 1: unix.EINVAL,
	} {
		row := 0
		if errno != 0 {
			row = 14
		}
		want(t, fmt.Sprintf("hint %d", hint), a.PID(), order{pid: child, hint: hint}, row, errno)
		want(t, fmt.Sprintf("hint %d to self", hint), a.PID(), order{pid: a.PID(), hint: hint}, row, errno)
	}
}

// The range is that of the namespace that the child is born in, which the test's
// own file need not show.
func TestHintRangeOfAnotherNamespace(t *testing.T) {
	inside := reexec.Start(t, "limits", func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID}
	})
	d, err := proc.Open(inside.PID())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	ns, err := d.OpenNS(proc.PID)
	if err != nil {
		t.Fatal(err)
	}
	defer ns.Close()
	limit := inside.Number()
	checkLimit(t, ns, limit)
	if limit == pidMax(t) {
		return // one for all, or cannot be told: not for a test to change
	}
	inside.Tell("1000")
	checkLimit(t, ns, inside.Number())
}

func checkLimit(t *testing.T, ns *os.File, limit int) {
	t.Helper()
	for hint, possible := range map[int]bool{limit - 1: true, limit: false} {
		if got, err := hintInRange(ns, hint); err != nil || got != possible {
			t.Errorf("hint %d of %d: %v, %v", hint, limit, got, err)
		}
		if got := probeRange(ns, hint); got != possible {
			t.Errorf("probe of hint %d of %d: %v", hint, limit, got)
		}
	}
}

// limits tells its namespace's pid_max, and sets it as told.
func limits() {
	say := func() {
		b, err := os.ReadFile(pidMaxFile)
		must(err)
		reexec.Say("%s", bytes.TrimSpace(b))
	}
	say()
	for in := bufio.NewScanner(os.Stdin); in.Scan(); say() {
		must(os.WriteFile(pidMaxFile, in.Bytes(), 0))
	}
}

func TestHintNeedsPrivilege(t *testing.T) {
	a := newActor(t, 0)
	child := a.do("spawn plain")
	want(t, "root", a.PID(), order{pid: child, hint: 500}, 0, 0)
	a.do("drop")
	want(t, "user", a.PID(), order{pid: child, hint: 500}, 14, unix.EPERM)
	want(t, "user to self", a.PID(), order{pid: a.PID(), hint: 500}, 14, unix.EPERM)
	want(t, "no hint", a.PID(), order{pid: child}, 0, 0)
}

// TestHintOutsideOfOnesRights: who is root in a user namespace of its own, as its supervisor is,
// has no rights over the pid namespace that it is in still. Whose that is, nobody in there is told.
func TestHintOutsideOfOnesRights(t *testing.T) {
	p := reexec.Start(t, "judge", func(cmd *exec.Cmd) {
		ids := []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1 << 16}}
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUSER, UidMappings: ids, GidMappings: ids}
	})
	for _, want := range []string{"hint 0: row 0, 0, ", "hint 500: row 14, 1, hint without CAP_CHECKPOINT_RESTORE for the pid namespace"} {
		if got := p.Line(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// judgeHere looks at calls of this process to a child of its, with and without a hint.
func judgeHere() {
	pid := spawn("plain")
	from, err := OpenCaller(os.Getpid())
	must(err)
	for _, hint := range []int{0, 500} {
		c := newCall(from, order{pid: pid, hint: hint})
		errno := c.Check()
		reexec.Say("hint %d: row %d, %d, %s", hint, c.Row, int(errno), c.Cause)
		c.Close()
	}
	reexec.Wait()
}

func TestHintWithoutInit(t *testing.T) {
	a := newActor(t, 0)
	a.do("unshare")
	want(t, "hint 2", a.PID(), order{pid: a.PID(), hint: 2}, 14, unix.EINVAL)
	want(t, "hint 1", a.PID(), order{pid: a.PID(), hint: 1}, 0, 0)
	a.do("drop")
	want(t, "hint 2 without privilege", a.PID(), order{pid: a.PID(), hint: 2}, 14, unix.EINVAL)
	want(t, "hint 1 without privilege", a.PID(), order{pid: a.PID(), hint: 1}, 14, unix.EPERM)
}

func TestStateOfTheCaller(t *testing.T) {
	const thread = unix.CLONE_VM | unix.CLONE_SIGHAND | unix.CLONE_THREAD
	init, a := newActor(t, unix.CLONE_NEWPID), newActor(t, 0)
	init.do("drop") // a second fault: the hint is EPERM
	want(t, "PARENT by an init", init.PID(), order{pid: 1, hint: 500, flags: unix.CLONE_PARENT}, 14, unix.EINVAL)
	want(t, "PARENT", a.PID(), order{pid: a.PID(), flags: unix.CLONE_PARENT}, 0, 0)
	want(t, "THREAD", a.PID(), order{pid: a.PID(), flags: thread}, 0, 0)
	a.do("unshare")
	want(t, "THREAD after unshare", a.PID(), order{pid: a.PID(), flags: thread}, 14, unix.EINVAL)
	want(t, "child after unshare", a.PID(), order{pid: a.PID()}, 0, 0)
}

// A failing check or probe leaves nothing open and no process behind.
func TestNothingIsLeftOpen(t *testing.T) {
	a := newActor(t, unix.CLONE_NEWPID)
	pids := []int{a.do("spawn plain"), a.do("spawn init"), a.do("spawn zombie"), 1, freeNumber}
	from, err := OpenCaller(a.PID())
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	before := openFiles(t)
	for _, pid := range pids {
		for _, hint := range []int{0, 500, 1 << 22} {
			c, _ := judge(t, a.PID(), order{pid: pid, hint: hint})
			c.Close()
			c.Caller.Close()
		}
	}
	if after := openFiles(t); after > before {
		t.Errorf("%d files open before, %d after", before, after)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(names)
}
