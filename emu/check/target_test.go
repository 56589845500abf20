// SPDX-License-Identifier: Apache-2.0

package check

import (
	"os"
	"os/exec"
	"slices"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/kcmp"
	"cloneat-emu/emu/proc"
	"cloneat-emu/internal/reexec"
)

func TestSelfFromAnyThread(t *testing.T) {
	a := newActor(t, 0)
	other := a.do("thread")
	for _, tid := range []int{a.PID(), other} {
		// Flags and signals that another target would not do for.
		c := want(t, "self", tid, order{
			pid: a.PID(), flags: unix.CLONE_VM | unix.CLONE_SIGHAND | unix.CLONE_THREAD | unix.CLONE_NEWUSER,
			signal: 10, access: unix.EPERM,
		}, 0, 0)
		if !c.Target.Self || c.Target.TID != tid || c.Target.TGID != a.PID() {
			t.Errorf("target %+v, want the calling thread %d", c.Target, tid)
		}
	}
	want(t, "own thread", a.PID(), order{pid: other}, 8, unix.EINVAL)
	want(t, "itself, a thread", other, order{pid: other}, 8, unix.EINVAL)
}

func TestChildIsFound(t *testing.T) {
	a := newActor(t, 0)
	child := a.do("spawn plain")
	c := want(t, "child", a.PID(), order{pid: child}, 0, 0)
	tg := c.Target
	if tg.TGID != child || tg.TID != child || tg.Self || len(tg.Differs) != 0 || tg.Dir.PID != child {
		t.Errorf("target %+v", tg)
	}
	if err := unix.PidfdSendSignal(tg.PidFD, 0, nil, 0); err != nil {
		t.Errorf("pidfd: %v", err)
	}
	if _, errno := judge(t, child, order{pid: a.PID()}); errno != unix.EPERM {
		t.Errorf("the parent as a target: %v, want EPERM", errno)
	}
}

// A dead leader's process is still there by its first live thread, and is a
// caller like any.
func TestDeadLeader(t *testing.T) {
	a := newActor(t, 0)
	pid := a.do("spawn leaderless")
	d, err := proc.Open(pid)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	tids, err := d.Threads()
	if err != nil {
		t.Fatal(err)
	}
	c := want(t, "target", a.PID(), order{pid: pid}, 0, 0)
	if c.Target.TGID != pid || c.Target.TID != tids[1] {
		t.Errorf("target %+v, want thread %d", c.Target, tids[1])
	}
	want(t, "its thread", a.PID(), order{pid: tids[1]}, 8, unix.EINVAL)
	c = want(t, "caller", tids[1], order{pid: pid}, 0, 0)
	if !c.Target.Self || c.Target.TID != tids[1] {
		t.Errorf("target %+v, want the caller itself", c.Target)
	}
}

func TestSharing(t *testing.T) {
	exe := buildShare(t)
	for _, made := range []uint64{
		0, unix.CLONE_FS, unix.CLONE_FILES, unix.CLONE_IO, unix.CLONE_SYSVSEM,
		unix.CLONE_VM, unix.CLONE_VM | unix.CLONE_SIGHAND,
	} {
		p := reexec.Run(t, exec.Command(exe, strconv.FormatUint(made, 16)))
		child := p.Number()
		for _, s := range sharing {
			shared := made&s.flag != 0
			if s.flag == unix.CLONE_IO && !shared { // both have none, unless either has waited for a disk
				shared, _ = kcmp.Same(p.PID(), child, kcmp.IO)
			}
			row, errno := 11, unix.EINVAL
			if shared {
				row, errno = 0, 0
			}
			want(t, s.name, p.PID(), order{pid: child, flags: s.flag}, row, errno)
		}
	}
}

// A target thread that has exited since row 10 shares nothing any more, which is no fault of the
// call's: the process has another thread or, as here, none, and is ESRCH.
func TestSharingWithOneThatHasExited(t *testing.T) {
	a := newActor(t, 0)
	from, err := OpenCaller(a.PID())
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	c := newCall(from, order{pid: a.do("spawn zombie"), flags: unix.CLONE_VM})
	defer c.Close()
	if errno := findTarget(c); errno != 0 {
		t.Fatalf("%v (%s)", errno, c.Cause)
	}
	c.Target.TID = c.Target.TGID
	if c.Target.Thread, err = c.Target.Dir.Thread(c.Target.TID); err != nil {
		t.Fatal(err)
	}
	if errno := c.threadShares(); errno != unix.EINVAL {
		t.Errorf("it shares: %v (%s)", errno, c.Cause)
	}
	if errno := mayShare(c); errno != unix.ESRCH {
		t.Errorf("%v (%s), want ESRCH", errno, c.Cause)
	}
}

// What kcmp(2) says of a number is about the target as long as that has it: a target that is
// gone, and one whose number is another's by then, shares nothing, and is ESRCH.
func TestSharingWithOneThatIsGone(t *testing.T) {
	a := newActor(t, 0)
	pid, end := sleeper(t)
	d, err := proc.Open(pid)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	thread, err := d.Thread(pid)
	if err != nil {
		t.Fatal(err)
	}
	defer thread.Close()
	end()
	from, err := OpenCaller(a.PID())
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	for name, tid := range map[string]int{"gone": pid, "another's": os.Getpid()} {
		c := newCall(from, order{})
		c.Target.TID, c.Target.Thread = tid, thread
		if errno := c.shares(kcmp.VM, "CLONE_VM"); errno != unix.ESRCH {
			t.Errorf("%s: %v (%s), want ESRCH", name, errno, c.Cause)
		}
	}
}

// Neither has semaphores to undo, so both have the same list: none. Still a
// child with CLONE_SYSVSEM would get one that two IPC namespaces share.
func TestSharingIsBoundToNamespaces(t *testing.T) {
	exe := buildShare(t)
	for _, tc := range []struct {
		name        string
		made, flags uint64
		row         int
		errno       unix.Errno
	}{
		{"same namespace", 0, unix.CLONE_SYSVSEM, 0, 0},
		{"another", unix.CLONE_NEWIPC, unix.CLONE_SYSVSEM, 11, unix.EINVAL},
		{"another, but FS", unix.CLONE_NEWIPC | unix.CLONE_FS, unix.CLONE_FS, 0, 0},
	} {
		p := reexec.Run(t, exec.Command(exe, strconv.FormatUint(tc.made, 16), "bare"))
		want(t, tc.name, p.PID(), order{pid: p.Number(), flags: tc.flags}, tc.row, tc.errno)
	}
}

// Whoever was reparented away is no descendant any more; an adopted one is.
func TestAdoption(t *testing.T) {
	a := newActor(t, 0)
	orphan := a.do("orphan")
	a.Line() // gone
	want(t, "given away", a.PID(), order{pid: orphan}, 9, unix.EPERM)
	a.do("subreaper")
	orphan = a.do("orphan")
	a.Line()
	want(t, "adopted", a.PID(), order{pid: orphan}, 0, 0)
}

func TestGrandchildIsADescendant(t *testing.T) {
	a := newActor(t, 0)
	child := a.do("spawn plain")
	top := testThread(t)
	want(t, "grandchild", top, order{pid: child}, 0, 0)
	want(t, "child", top, order{pid: a.PID()}, 0, 0)
}

func TestDifferingNamespaces(t *testing.T) {
	a := newActor(t, 0)
	for kind, differs := range map[string][]proc.Kind{
		"plain": nil, "uts": {proc.UTS}, "mnt": {proc.Mnt}, "init": {proc.PID}, "user": {proc.UTS},
	} {
		c := want(t, kind, a.PID(), order{pid: a.do("spawn %s", kind)}, 0, 0)
		if !slices.Equal(c.Target.Differs, differs) {
			t.Errorf("%s: differs in %v, want %v", kind, c.Target.Differs, differs)
		}
	}
}

func TestNamespacesNeedCapabilities(t *testing.T) {
	a := newActor(t, 0)
	children := map[string]int{"plain": 0, "uts": 13, "mnt": 13, "init": 13, "user": 13}
	pids := map[string]int{}
	for kind := range children {
		pids[kind] = a.do("spawn %s", kind)
	}
	a.do("drop")
	for kind, row := range children {
		errno := unix.Errno(0)
		if row != 0 {
			errno = unix.EPERM
		}
		want(t, kind, a.PID(), order{pid: pids[kind]}, row, errno)
	}
}
