// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"os"
	"os/exec"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"cloneat-emu/internal/reexec"
)

// hostile is a name that a parser of stat or status may trip over.
const hostile = "a) Z (b\n\\x"

func TestMain(m *testing.M) {
	runtime.LockOSThread() // roles need the leader
	reexec.Main(m, map[string]func(){
		"idle":       func() { reexec.Say("ready"); reexec.Wait() },
		"hostile":    hostileName,
		"parent":     parent,
		"leaderless": leaderless,
		"unshared":   unshared,
	})
}

func hostileName() {
	if err := os.WriteFile("/proc/self/comm", []byte(hostile), 0); err != nil {
		panic(err)
	}
	reexec.Say("ready")
	reexec.Wait()
}

// parent has one child, and says its number.
func parent() {
	cmd := reexec.Command("idle")
	cmd.Stdin = os.Stdin
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	reexec.Say("%d", cmd.Process.Pid)
	reexec.Wait()
}

// leaderless goes on without its first thread.
func leaderless() {
	go func() {
		for st := (*Stat)(nil); st == nil || !st.Exiting(); {
			st, _ = open1().Stat()
			time.Sleep(time.Millisecond) // polls what has no event
		}
		reexec.Say("ready")
		reexec.Wait()
		os.Exit(0)
	}()
	unix.Syscall(unix.SYS_EXIT, 0, 0, 0)
}

// unshared has a leader whose children would be born in a pid namespace that has
// no init yet.
func unshared() {
	if err := unix.Unshare(unix.CLONE_NEWPID); err != nil {
		panic(err)
	}
	reexec.Say("ready")
	reexec.Wait()
}

func open1() *Dir {
	d, err := Open(os.Getpid())
	if err != nil {
		panic(err)
	}
	return d
}

func openDir(t *testing.T, pid int) *Dir {
	t.Helper()
	d, err := Open(pid)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func start(t *testing.T, role string, prepare func(*exec.Cmd)) *Dir {
	t.Helper()
	p := reexec.Start(t, role, prepare)
	p.Line()
	return openDir(t, p.PID())
}

func TestSelfAgreesWithSystemCalls(t *testing.T) {
	d := openDir(t, os.Getpid())
	st, err := d.Status()
	if err != nil {
		t.Fatal(err)
	}
	if st.Pid != os.Getpid() || st.Tgid != os.Getpid() || st.PPid != os.Getppid() || st.TracerPid != 0 {
		t.Errorf("ids: %+v", st)
	}
	if int(st.Uid[1]) != os.Geteuid() || int(st.Gid[0]) != os.Getgid() {
		t.Errorf("uid %v gid %v", st.Uid, st.Gid)
	}
	if st.NSpid[0] != os.Getpid() || len(st.NSpid) != len(st.NSsid) {
		t.Errorf("NSpid %v NSsid %v", st.NSpid, st.NSsid)
	}
	sid, _ := unix.Getsid(0)
	if st.NSsid[0] != sid || st.NSpgid[0] != unix.Getpgrp() {
		t.Errorf("session %v, process group %v", st.NSsid, st.NSpgid)
	}
	if st.VmRSS == 0 || st.Threads < 2 || st.FDSize == 0 {
		t.Errorf("RSS %d, threads %d, fds %d", st.VmRSS, st.Threads, st.FDSize)
	}
}

func TestCredentialsAndSignals(t *testing.T) {
	d := start(t, "idle", func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Credential: &syscall.Credential{Uid: 1234, Gid: 2345, Groups: []uint32{7, 9}},
		}
	})
	st, err := d.Status()
	if err != nil {
		t.Fatal(err)
	}
	if st.Uid != [4]uint32{1234, 1234, 1234, 1234} || st.Gid != [4]uint32{2345, 2345, 2345, 2345} {
		t.Errorf("uid %v gid %v", st.Uid, st.Gid)
	}
	if !slices.Equal(st.Groups, []uint32{7, 9}) || st.CapEff != 0 || st.CapBnd == 0 {
		t.Errorf("groups %v, effective %x, bounding %x", st.Groups, st.CapEff, st.CapBnd)
	}
	if st.SigCgt&(1<<(unix.SIGSEGV-1)) == 0 {
		t.Errorf("SigCgt %x lacks SIGSEGV, which Go handles", st.SigCgt)
	}
}

func TestHostileName(t *testing.T) {
	d := start(t, "hostile", nil)
	comm, err := d.Comm()
	if err != nil || comm != hostile {
		t.Errorf("Comm: %q, %v", comm, err)
	}
	stat, err := d.Stat()
	if err != nil || stat.Comm != hostile || stat.Ppid != os.Getpid() || stat.Pid != d.PID {
		t.Errorf("Stat: %+v, %v", stat, err)
	}
	st, err := d.Status()
	if err != nil || st.Comm != hostile || st.Pid != d.PID || st.PPid != os.Getpid() {
		t.Errorf("Status: %+v, %v", st, err)
	}
}

func TestStatFields(t *testing.T) {
	stat, err := openDir(t, os.Getpid()).Stat()
	if err != nil {
		t.Fatal(err)
	}
	if stat.ExitSignal != int(unix.SIGCHLD) || stat.StartTime == 0 || stat.Exiting() {
		t.Errorf("exit signal %d, start %d, exiting %v", stat.ExitSignal, stat.StartTime, stat.Exiting())
	}
	inOrder := []uint64{stat.StartCode, stat.EndCode, stat.StartData, stat.EndData, stat.StartBrk}
	if !slices.IsSorted(inOrder) || stat.StartCode < 4096 {
		t.Errorf("code, data and brk: %x", inOrder)
	}
	stack := []uint64{stat.StartStack, stat.ArgStart, stat.ArgEnd, stat.EnvStart, stat.EnvEnd}
	if !slices.IsSorted(stack) || stat.StartStack <= stat.StartBrk {
		t.Errorf("stack, arguments and environment: %x", stack)
	}
}

func TestLeaderlessProcess(t *testing.T) {
	d := start(t, "leaderless", nil)
	tids, err := d.Threads()
	if err != nil || len(tids) < 2 || tids[0] != d.PID {
		t.Fatalf("threads %v, %v; the dead leader comes first", tids, err)
	}
	stat, err := d.Stat()
	if err != nil || !stat.Exiting() || stat.State != 'Z' {
		t.Errorf("leader: %+v, %v", stat, err)
	}
	thread, err := d.Thread(tids[1])
	if err != nil {
		t.Fatal(err)
	}
	defer thread.Close()
	if stat, err := thread.Stat(); err != nil || stat.Exiting() || stat.Pid != tids[1] {
		t.Errorf("second thread: %+v, %v", stat, err)
	}
	if _, err := d.NS(Net); !Gone(err) {
		t.Errorf("namespace of the dead leader: %v, want it gone", err)
	}
	if _, err := thread.NS(Net); err != nil {
		t.Errorf("namespace of the second thread: %v", err)
	}
}
