// SPDX-License-Identifier: Apache-2.0

package whohas

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
	"cloneat-emu/tests/built"
)

func TestProcessAndThread(t *testing.T) {
	ns, err := ours()
	if err != nil {
		t.Fatal(err)
	}
	if got := Describe(ns, os.Getpid()); !strings.HasPrefix(got, fmt.Sprintf("process %d (", os.Getpid())) {
		t.Errorf("own pid: %s", got)
	}
	d, err := proc.Open(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	tids, err := d.Threads()
	if err != nil || len(tids) < 2 {
		t.Fatal(tids, err)
	}
	want := fmt.Sprintf("a thread of process %d (", os.Getpid())
	if got := Describe(ns, tids[1]); !strings.HasPrefix(got, want) {
		t.Errorf("own thread: %s", got)
	}
}

func TestGroupOfADeadLeader(t *testing.T) {
	ns, err := ours()
	if err != nil {
		t.Fatal(err)
	}
	leader := exec.Command("true")
	leader.SysProcAttr = &unix.SysProcAttr{Setpgid: true}
	if err := leader.Start(); err != nil {
		t.Fatal(err)
	}
	member := exec.Command("sleep", "1000") // joins while the leader is not reaped
	member.SysProcAttr = &unix.SysProcAttr{Setpgid: true, Pgid: leader.Process.Pid}
	err = member.Start()
	_ = leader.Wait()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = member.Process.Kill(); _ = member.Wait() }()
	want := fmt.Sprintf("the process group of process %d (", member.Process.Pid)
	if got := Describe(ns, leader.Process.Pid); !strings.HasPrefix(got, want) {
		t.Errorf("%s", got)
	}
}

// TestNamespaceBelow: numbers are those of the namespace that is asked about, of a zombie as well,
// which has no namespace any more.
func TestNamespaceBelow(t *testing.T) {
	cmd := exec.Command("unshare", "-pf", "--kill-child", "sh", "-c", "sleep 1000 & echo ready; exec sleep 1000")
	_, out := built.Talk(t, cmd)
	built.Says(t, out, "ready")
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	init := onlyChild(t, cmd.Process.Pid)
	d, err := proc.Open(init)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	ns, err := d.NS(proc.PID)
	if err != nil {
		t.Fatal(err)
	}
	if got := Describe(ns, 1); !strings.HasPrefix(got, fmt.Sprintf("process %d (", init)) {
		t.Errorf("its init: %s", got)
	}
	if got := Describe(ns, init); got != "nobody to be seen" {
		t.Errorf("a number of ours: %s", got)
	}
	// A shell would reap it.
	until(t, func() bool {
		comm, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", init))
		return string(comm) == "sleep\n"
	})
	if err := unix.Kill(onlyChild(t, init), unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { return strings.Contains(Describe(ns, 2), ", a zombie)") })
}

// until waits for what nobody tells.
func until(t *testing.T, is func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not come to that")
		}
	}
}

func onlyChild(t *testing.T, pid int) int {
	t.Helper()
	list, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", pid))
	if err != nil {
		t.Fatal(err)
	}
	child, err := strconv.Atoi(strings.TrimSpace(string(list)))
	if err != nil {
		t.Fatal(err)
	}
	return child
}

func TestNobody(t *testing.T) {
	ns, err := ours()
	if err != nil {
		t.Fatal(err)
	}
	if got := Describe(ns, 1<<22-1); got != "nobody to be seen" {
		t.Errorf("%s", got)
	}
}
