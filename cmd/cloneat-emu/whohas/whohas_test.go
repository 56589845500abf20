// SPDX-License-Identifier: Apache-2.0

package whohas

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
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

func TestNobody(t *testing.T) {
	ns, err := ours()
	if err != nil {
		t.Fatal(err)
	}
	if got := Describe(ns, 1<<22-1); got != "nobody to be seen" {
		t.Errorf("%s", got)
	}
}
