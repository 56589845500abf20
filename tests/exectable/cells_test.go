// SPDX-License-Identifier: Apache-2.0

package exectable

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
)

// row holds the cells of one tool.
type row struct {
	ppid, reaper, orphan, zombie, gone, status, cgroup, hint string
}

// cells are the row's, in the order of the document.
func (r *row) cells() []string {
	return []string{r.ppid, r.reaper, r.orphan, r.zombie, r.gone, r.status, r.cgroup, r.hint}
}

// observe looks at one tool and its container.
func observe(t *testing.T, tl tool) *row {
	init, client := tl.start(t)
	r := &row{hint: "no"}
	r.status = strconv.Itoa(exitStatus(t, client, "exit 41"))
	first := begin(t, client, 1)
	r.ppid, r.reaper = parent(t, first.pid, init)
	r.cgroup = cgroupOf(t, first.pid, init)
	first.killClient(t)
	r.orphan, r.zombie = first.orphan(t, init)
	if strings.HasPrefix(tl.name, "cloneat-emu") {
		r.hint = ours(t, client)
		r.cgroup += oursInTargetsCgroup(t, client, init)
	}
	second := begin(t, client, 2)
	if err := unix.Kill(init, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	second.awaitExit(t)
	r.gone = "killed with it"
	_ = second.client.Wait()
	return r
}

// exitStatus is what a client exits with.
func exitStatus(t *testing.T, client []string, script string) int {
	t.Helper()
	cmd := exec.Command(client[0], append(client[1:len(client):len(client)], "sh", "-c", script)...)
	if err := cmd.Run(); cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode()
}

// ours checks that a hint is honoured.
func ours(t *testing.T, client []string) string {
	t.Helper()
	hinted := append([]string{client[0], "exec", "--pid", "777"}, client[2:]...)
	if got := exitStatus(t, hinted, "test $$ = 777"); got != 0 {
		t.Errorf("with --pid 777: status %d", got)
	}
	return "exact, --pid"
}

// oursInTargetsCgroup looks at the other choice of cgroup.
func oursInTargetsCgroup(t *testing.T, client []string, init int) string {
	t.Helper()
	p := begin(t, append([]string{client[0], "exec", "--cgroup", "target"}, client[2:]...), 3)
	defer func() {
		_ = unix.PidfdSendSignal(p.pidfd, unix.SIGKILL, nil, 0)
		_ = p.client.Wait()
	}()
	return ", or the " + cgroupOf(t, p.pid, init) + " (--cgroup)"
}

// inside is a command that runs in a container.
type inside struct {
	client *exec.Cmd
	pid    int // here
	pidfd  int
}

// begin starts a command that sleeps for a number of seconds that nobody else
// does, and finds it.
func begin(t *testing.T, client []string, n int) *inside {
	t.Helper()
	seconds := fmt.Sprintf("%d%d", 1000+n, os.Getpid())
	cmd := exec.Command(client[0], append(client[1:len(client):len(client)], "sleep", seconds)...)
	cmd.SysProcAttr = &unix.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	want := "sleep\x00" + seconds + "\x00"
	for !ended(cmd) {
		all, _ := filepath.Glob("/proc/[0-9]*/cmdline")
		for _, f := range all {
			if b, err := os.ReadFile(f); err == nil && string(b) == want {
				pid, _ := strconv.Atoi(strings.Split(f, "/")[2])
				fd, err := unix.PidfdOpen(pid, 0)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = unix.Close(fd) })
				return &inside{cmd, pid, fd}
			}
		}
	}
	t.Fatalf("%v ended without a command: %v", cmd.Args, cmd.Wait())
	return nil
}

// ended reports whether a program that we have started has ended; it is not reaped.
func ended(cmd *exec.Cmd) bool {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_PID, cmd.Process.Pid, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	return err != nil || info.Signo != 0
}

// status reads a process's; of one that is gone it is empty.
func status(t *testing.T, pid int) *proc.Status {
	t.Helper()
	d, err := proc.Open(pid)
	if proc.Gone(err) {
		return &proc.Status{}
	}
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	st, err := d.Status()
	if proc.Gone(err) {
		return &proc.Status{}
	}
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// parent is what a command sees as its parent's pid, and who that is.
func parent(t *testing.T, pid, init int) (ppid, reaper string) {
	t.Helper()
	up := status(t, pid).PPid
	name := program(up)
	for name == "." || name == "runc" && leaves(up) {
		up = status(t, pid).PPid
		name = program(up)
	}
	if up == init {
		return "1", "the container's init"
	}
	ppid = "0"
	if n := status(t, up).NSpid; len(n) >= len(status(t, pid).NSpid) {
		ppid = strconv.Itoa(n[len(n)-1])
	}
	return ppid, name
}

// leaves reports whether a runc is about to leave its command to conmon, for
// which it made it, or has left already.
func leaves(runc int) bool {
	d, err := proc.Open(runc)
	if err != nil {
		return true
	}
	defer d.Close()
	st, err := d.Status()
	return err != nil || program(st.PPid) == "conmon"
}

// cgroupOf says whose cgroups a command is in.
func cgroupOf(t *testing.T, pid, init int) string {
	t.Helper()
	read := func(pid int) string {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	switch {
	case read(pid) == read(os.Getpid()):
		return "caller's"
	case below(read(pid), read(init)):
		return "container's"
	}
	t.Logf("cgroups of the command:\n%sof the init:\n%s", read(pid), read(init))
	return "another"
}

// below reports whether in every hierarchy a cgroup is the other one or below it.
func below(a, b string) bool {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range x {
		if i >= len(y) || x[i] != y[i] && !strings.HasPrefix(x[i], y[i]+"/") {
			return false
		}
	}
	return len(x) == len(y)
}

// program is the name of the program that a process was told to be.
func program(pid int) string {
	args, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	name, _, _ := strings.Cut(string(args), "\x00")
	return filepath.Base(name)
}

// killClient kills the program that started the command, as it is killed by who
// has lost patience.
func (p *inside) killClient(t *testing.T) {
	t.Helper()
	_ = p.client.Process.Kill()
	_ = p.client.Wait()
}

// orphan tells what has become of a command whose client was killed, and what is
// left of it at its end. Orphans out here come to us, in the place of the host's
// init: TestMain has made us a subreaper.
func (p *inside) orphan(t *testing.T, init int) (becomes, zombie string) {
	t.Helper()
	if p.exits(t, 300) {
		becomes = "dies, too"
	} else {
		switch up := status(t, p.pid).PPid; up {
		case init:
			becomes = "stays with the init"
		case os.Getpid():
			becomes = "goes to the host's init"
		default:
			becomes = "stays with " + program(up)
		}
	}
	_ = unix.PidfdSendSignal(p.pidfd, unix.SIGKILL, nil, 0)
	p.awaitExit(t)
	if pid, err := unix.Wait4(p.pid, nil, 0, nil); err == nil && pid == p.pid {
		return becomes, "until the host's init reaps"
	}
	for unix.PidfdSendSignal(p.pidfd, 0, nil, 0) == nil {
		_ = unix.Nanosleep(&unix.Timespec{Nsec: 1e6}, nil)
	}
	return becomes, "none"
}

// exits reports whether the command exits within milliseconds.
func (p *inside) exits(t *testing.T, ms int) bool {
	t.Helper()
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(p.pidfd), Events: unix.POLLIN}}, ms)
		if err != unix.EINTR {
			return n == 1
		}
	}
}

// awaitExit waits for the command's end.
func (p *inside) awaitExit(t *testing.T) {
	t.Helper()
	p.exits(t, -1)
}

// waitForInit waits for a program's child.
func waitForInit(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	for pid := cmd.Process.Pid; !ended(cmd); {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
		if err != nil {
			t.Fatal(err)
		}
		if f := strings.Fields(string(b)); len(f) == 1 {
			child, _ := strconv.Atoi(f[0])
			if args, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", child)); strings.HasPrefix(string(args), "sh\x00") {
				return child
			}
		}
		_ = unix.Nanosleep(&unix.Timespec{Nsec: 1e6}, nil)
	}
	t.Fatalf("%v ended without a container: %v", cmd.Args, cmd.Wait())
	return 0
}
