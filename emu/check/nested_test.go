// SPDX-License-Identifier: Apache-2.0

package check

import (
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
)

// buildShare compiles testdata/share.c.
func buildShare(t *testing.T) string {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "share")
	if out, err := exec.Command("cc", "-o", exe, "testdata/share.c").CombinedOutput(); err != nil {
		t.Fatalf("cc: %v\n%s", err, out)
	}
	return exe
}

// testThread is a thread of the test's own process that can stand for a caller:
// it is there until the test ends.
func testThread(t *testing.T) int {
	t.Helper()
	tid, done := make(chan int), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		tid <- unix.Gettid()
		<-done
	}()
	t.Cleanup(func() { close(done) })
	return <-tid
}

// In a pid namespace of its own the caller speaks in other numbers.
//
//	test ─ caller (1 inside) ─ child ─ init of a third namespace
func TestNumbersOfTheCallersNamespace(t *testing.T) {
	a := newActor(t, unix.CLONE_NEWPID)
	plain, deeper, zombie := a.do("spawn plain"), a.do("spawn init"), a.do("spawn zombie")
	for name, pid := range map[string]int{"child": plain, "init": deeper} {
		c := want(t, name, a.PID(), order{pid: pid}, 0, 0)
		if c.Target.Dir == nil {
			continue
		}
		st, err := c.Target.Dir.Status()
		if err != nil || st.NSpid[1] != pid || c.Target.TGID != st.Pid || st.PPid != a.PID() {
			t.Errorf("%s: found %+v, %v, want number %d below %d", name, st, err, pid, a.PID())
		}
	}
	self := want(t, "self", a.PID(), order{pid: 1}, 0, 0)
	if !self.Target.Self || self.Target.TGID != a.PID() {
		t.Errorf("pid 1: %+v, want the caller", self.Target)
	}
	want(t, "the supervisor's number", a.PID(), order{pid: a.PID()}, 8, unix.ESRCH)
	want(t, "nobody", a.PID(), order{pid: freeNumber}, 8, unix.ESRCH)
	want(t, "zombie", a.PID(), order{pid: zombie}, 10, unix.ESRCH)
	want(t, "thread", a.PID(), order{pid: a.do("thread")}, 8, unix.EINVAL)
}

// Kernels before 6.11 cannot translate: the search in /proc finds the same.
func TestScanAgreesWithTheKernel(t *testing.T) {
	a := newActor(t, unix.CLONE_NEWPID)
	other := newActor(t, unix.CLONE_NEWPID) // the same numbers, another namespace
	pids := []int{1, a.do("spawn plain"), a.do("spawn init"), a.do("spawn zombie"), a.do("thread"), 300}
	for range pids {
		other.do("spawn plain")
	}
	from, err := OpenCaller(a.PID())
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	for _, pid := range pids {
		byKernel, kerr := (&Call{Caller: from, Pid: pid}).translate()
		byScan, serr := (&scan{from, pid}).find()
		if byKernel != byScan || proc.Gone(kerr) != proc.Gone(serr) {
			t.Errorf("%d: the kernel says %d, %v; the search %d, %v", pid, byKernel, kerr, byScan, serr)
		}
	}
	// A process that is no descendant, but in the namespace, is found as well.
	leader := a.do("spawn caller")
	child, err := (&scan{from, leader}).find()
	if err != nil {
		t.Fatal(err)
	}
	below, err := OpenCaller(child)
	if err != nil {
		t.Fatal(err)
	}
	defer below.Close()
	if n, err := (&scan{below, pids[1]}).find(); err != nil || n == 0 {
		t.Errorf("the brother: %d, %v", n, err)
	}
}
