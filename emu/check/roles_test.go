// SPDX-License-Identifier: Apache-2.0

package check

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
	"cloneat-emu/internal/reexec"
)

func TestMain(m *testing.M) {
	runtime.LockOSThread() // roles need the leader
	reexec.Main(m, map[string]func(){
		"caller":     caller,
		"idle":       func() { reexec.Say("ready"); reexec.Wait() },
		"leaderless": leaderless,
		"end":        func() {},
		"quiet":      reexec.Wait,
		"limits":     limits,
		"father":     father,
		"judge":      judgeHere,
	})
}

// caller does what a line says, and answers with a number: children are told by
// their number in the caller's pid namespace.
//
//	spawn KIND    a child; KIND is a key of spawners
//	drop          become an ordinary user, for good
//	caps MASK     give up all capabilities of the leader but these (hexadecimal)
//	unshare       children are to be born in a new pid namespace
//	mayfly        a child that ends when it has been told; "reaped" then
//	orphan        a grandchild whose parent ends now; "gone" then
//	subreaper     adopt orphans from now on
//	thread        the id of another thread of this process
func caller() {
	reexec.Say("ready")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		verb, arg, _ := strings.Cut(in.Text(), " ")
		switch verb {
		case "spawn":
			reexec.Say("%d", spawn(arg))
		case "drop":
			must(unix.Setgroups(nil))
			must(unix.Setresgid(1000, 1000, 1000))
			must(unix.Setresuid(1000, 1000, 1000))
			must(unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0))
			reexec.Say("0")
		case "caps":
			setCaps(arg)
			reexec.Say("0")
		case "unshare":
			must(unix.Unshare(unix.CLONE_NEWPID))
			reexec.Say("0")
		case "mayfly":
			mayfly()
		case "orphan":
			orphan()
			reexec.Say("gone")
		case "subreaper":
			must(unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
			reexec.Say("0")
		case "thread":
			reexec.Say("%d", otherThread())
		}
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// setCaps acts on the thread that it runs on, the leader.
func setCaps(mask string) {
	bits, err := strconv.ParseUint(mask, 16, 64)
	must(err)
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	must(unix.Capget(&hdr, &data[0]))
	for i := range data {
		data[i].Permitted &= uint32(bits >> (32 * i))
		data[i].Effective = data[i].Permitted
	}
	must(unix.Capset(&hdr, &data[0]))
}

// otherThread is a thread id of this process that is not the leader's.
func otherThread() int {
	tid := make(chan int)
	go func() {
		runtime.LockOSThread()
		tid <- unix.Gettid()
		select {}
	}()
	return <-tid
}

// spawners are the kinds of children: a role, in new namespaces.
var spawners = map[string]struct {
	role  string
	flags uintptr
}{
	"plain":      {"idle", 0},
	"leaderless": {"leaderless", 0},
	"zombie":     {"end", 0},
	"uts":        {"idle", unix.CLONE_NEWUTS},
	"mnt":        {"idle", unix.CLONE_NEWNS},
	"init":       {"idle", unix.CLONE_NEWPID},
	"user":       {"idle", unix.CLONE_NEWUSER | unix.CLONE_NEWUTS},
	"caller":     {"caller", 0},

	"user caller": {"caller", unix.CLONE_NEWUSER},
}

// inputs keeps the children's standard inputs open.
var inputs []io.Closer

// spawn starts a child and answers its number when it is as it should be.
func spawn(kind string) int {
	s := spawners[kind]
	cmd := reexec.Command(s.role)
	input, err := cmd.StdinPipe() // the child ends when this process does
	must(err)
	inputs = append(inputs, input)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: s.flags}
	if s.flags&unix.CLONE_NEWUSER != 0 {
		ids := []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1 << 16}}
		cmd.SysProcAttr.UidMappings, cmd.SysProcAttr.GidMappings = ids, ids
	}
	out, err := cmd.StdoutPipe()
	must(err)
	must(cmd.Start())
	if s.role == "end" {
		must(unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil))
		return cmd.Process.Pid
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		panic(fmt.Sprintf("%s: %q, %v", kind, line, err))
	}
	return cmd.Process.Pid
}

// orphan starts a process whose parent is gone when the function returns. It
// says the number before, when the parent has begun to end.
func orphan() {
	cmd := reexec.Command("father")
	r, w, err := os.Pipe()
	must(err)
	inputs = append(inputs, w)
	cmd.Stdin = r
	out, err := cmd.StdoutPipe()
	must(err)
	must(cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	must(err)
	reexec.Say("%s", strings.TrimSpace(line))
	must(cmd.Wait())
	r.Close()
}

// mayfly has a short-lived child.
func mayfly() {
	cmd := reexec.Command("end")
	must(cmd.Start())
	reexec.Say("%d", cmd.Process.Pid)
	must(cmd.Wait())
	reexec.Say("reaped")
}

// father leaves a child behind, which lives on its input.
func father() {
	cmd := reexec.Command("quiet")
	cmd.Stdin = os.Stdin
	must(cmd.Start())
	reexec.Say("%d", cmd.Process.Pid)
}

// leaderless goes on without its first thread.
func leaderless() {
	go func() {
		for d, err := proc.Open(os.Getpid()); ; time.Sleep(time.Millisecond) { // there is no event to wait for
			must(err)
			if st, err := d.Stat(); err == nil && st.Exiting() {
				break
			}
		}
		reexec.Say("ready")
		reexec.Wait()
		os.Exit(0)
	}()
	unix.Syscall(unix.SYS_EXIT, 0, 0, 0)
}

// actor is a caller that a test gives orders to.
type actor struct {
	*reexec.Process
	t testing.TB
}

func newActor(t testing.TB, flags uintptr) *actor {
	t.Helper()
	p := reexec.Start(t, "caller", func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags}
	})
	p.Line()
	return &actor{p, t}
}

// do gives an order and answers its number.
func (a *actor) do(format string, args ...any) int {
	a.t.Helper()
	a.Tell(format, args...)
	return a.Number()
}
