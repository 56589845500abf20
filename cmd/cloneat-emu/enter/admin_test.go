// SPDX-License-Identifier: Apache-2.0

package enter

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"cloneat-emu/tests/built"
)

// bubble is a container made by bwrap, whose first process is its own init.
func bubble(t *testing.T) int {
	t.Helper()
	return container(t, bubbleMaker...)
}

func TestChildOfInit(t *testing.T) {
	for name, make := range map[string]func(*testing.T) int{"unshare": unshared, "bwrap": bubble, "runc": runc} {
		t.Run(name, func(t *testing.T) {
			init := make(t)
			r := do(t, init, sh(`echo $PPID; readlink /proc/self/ns/pid /proc/self/ns/mnt /proc/self/ns/uts`))
			want := []string{"1"}
			for _, ns := range []string{"pid", "mnt", "uts"} {
				l, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", init, ns))
				if err != nil {
					t.Fatal(err)
				}
				want = append(want, l)
			}
			if r.out != strings.Join(want, "\n")+"\n" || r.status != 0 {
				t.Errorf("%+v, want %q", r, want)
			}
		})
	}
}

func TestRootAndDirectory(t *testing.T) {
	init := unshared(t)
	if r := do(t, init, sh("pwd; hostname")); r.out != "/etc\ninside\n" {
		t.Errorf("%+v", r)
	}
	o := sh("pwd")
	o.Workdir = "/usr"
	if r := do(t, init, o); r.out != "/usr\n" {
		t.Errorf("%+v", r)
	}
	o.Workdir = "/not/there"
	if r := do(t, init, o); r.status != StatusFailed || !strings.Contains(r.err, "chdir(/not/there)") {
		t.Errorf("%+v", r)
	}
}

func TestExitStatus(t *testing.T) {
	init := unshared(t)
	for script, want := range map[string]int{"exit 0": 0, "exit 41": 41, "kill -KILL $$": 137, "kill -TERM $$": 143} {
		if r := do(t, init, sh(script)); r.status != want {
			t.Errorf("%s: %+v, want %d", script, r, want)
		}
	}
	for _, c := range []struct {
		command string
		want    int
	}{{"no-such-command", StatusNotFound}, {"/etc/passwd", StatusCannot}, {"/no/such", StatusNotFound}, {"", StatusNotFound}} {
		r := do(t, init, Options{Command: []string{c.command}})
		if r.status != c.want || !strings.Contains(r.err, c.command) {
			t.Errorf("%s: %+v", c.command, r)
		}
	}
	nobodyBut(t, init)
}

// nobodyBut checks that a pid namespace holds its init alone.
func nobodyBut(t *testing.T, init int) {
	t.Helper()
	for _, pid := range members(t, init) {
		if pid != init {
			status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			if !ends(pid) { // its reaping is the init's affair
				t.Errorf("left behind:\n%s", status)
			}
		}
	}
}

// ends reports whether a process ends by itself: it may be about to.
func ends(pid int) bool {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return true
	}
	defer unix.Close(fd)
	const bound = 300_000 // milliseconds: longer than anything takes
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, bound)
		if err != unix.EINTR {
			return n == 1
		}
	}
}

// members are the processes in the pid namespace of a process.
func members(t *testing.T, of int) []int {
	t.Helper()
	want, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", of))
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	all, _ := filepath.Glob("/proc/[0-9]*")
	for _, d := range all {
		if ns, err := os.Readlink(d + "/ns/pid"); err == nil && ns == want {
			pid, _ := strconv.Atoi(filepath.Base(d))
			pids = append(pids, pid)
		}
	}
	return pids
}

func TestHint(t *testing.T) {
	init := unshared(t)
	for _, hint := range []int{2, 777, 30000} { // 2 is what the father of the command would get
		o := sh("echo $$")
		o.Hint = hint
		if r := do(t, init, o); r.out != fmt.Sprintln(hint) {
			t.Errorf("%+v, want %d", r, hint)
		}
	}
	o := sh("echo $$")
	o.Hint = 1 << 22
	if r := do(t, init, o); r.status != StatusFailed || !strings.Contains(r.err, "pid_max") {
		t.Errorf("pid 1<<22: %+v", r)
	}
	o.Hint = 1
	if r := do(t, init, o); r.status != StatusFailed || !strings.Contains(r.err, fmt.Sprintf("by process %d (", init)) {
		t.Errorf("pid 1: %+v", r)
	}
	nobodyBut(t, init)
}

func TestGoneWithTheContainer(t *testing.T) {
	init := unshared(t)
	cmd := command(init, sh("echo here; exec sleep 1000"))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = bufio.NewReader(out).ReadString('\n')
	if err := unix.Kill(init, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != 128+9 {
		t.Errorf("status %d after the end of the init", got)
	}
}

// TestClientsDeathLeavesNoZombie: the command lives on, and its end is the container's affair,
// whose init reaps here.
func TestClientsDeathLeavesNoZombie(t *testing.T) {
	init := bubble(t)
	before := members(t, init)
	cmd := command(init, sh("echo here; read x; exit 3"))
	in, out := built.Talk(t, cmd)
	built.Says(t, out, "here")
	inside := slices.DeleteFunc(members(t, init), func(pid int) bool { return slices.Contains(before, pid) })
	if len(inside) != 1 {
		t.Fatalf("inside are %v besides %v, not the command alone", inside, before)
	}
	fd, err := unix.PidfdOpen(inside[0], 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	_ = cmd.Process.Kill()
	_, _ = cmd.Process.Wait()
	if n, _ := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0); n != 0 {
		t.Error("the command died with its client")
	}
	_ = in.Close() // the command's read ends
	for end := time.Now().Add(5 * time.Minute); unix.PidfdSendSignal(fd, 0, nil, 0) == nil; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("nobody has reaped %d", inside[0])
		}
	}
}

func TestCgroupOfTheTarget(t *testing.T) {
	top := "/sys/fs/cgroup/pids"
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.procs"); err == nil {
		top = "/sys/fs/cgroup"
	}
	init := unshared(t)
	dir, err := os.MkdirTemp(top, "cloneat-enter-test")
	if errors.Is(err, unix.EROFS) || errors.Is(err, unix.ENOENT) {
		t.Skipf("no control group can be made here: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		parent := filepath.Join(filepath.Dir(dir), "cgroup.procs")
		_ = os.WriteFile(parent, []byte(strconv.Itoa(init)), 0)
		if err := unix.Rmdir(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(init)), 0); err != nil {
		t.Fatal(err)
	}
	o := sh("cat /proc/self/cgroup")
	if r := do(t, init, o); strings.Contains(r.out, filepath.Base(dir)) || r.status != 0 {
		t.Errorf("the caller's: %+v", r)
	}
	o.TargetCgroup = true
	if r := do(t, init, o); !strings.Contains(r.out, "/"+filepath.Base(dir)+"\n") {
		t.Errorf("the target's: %+v", r)
	}
}

func TestTerminal(t *testing.T) {
	init := bubble(t)
	o := sh("tty; stty size; ps -o ppid= -p $$ >/dev/null; [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && read x && echo got $x")
	o.TTY, o.Interactive = true, true
	cmd := command(init, o)
	cmd.Stdin = strings.NewReader("word\n")
	r := finish(t, cmd)
	if r.status != 0 || !strings.Contains(r.out, "/dev/pts/") || !strings.Contains(r.out, "got word\r\n") {
		t.Errorf("%+v", r)
	}
}

func TestBadTargets(t *testing.T) {
	for target, want := range map[string]string{
		"x": "neither a pid", "0": "neither a pid", "foo:bar": "known are", "runc:": "known are", "runc:no-such": "no-such",
	} {
		if _, err := Resolve(target); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v does not say %q", target, err, want)
		}
	}
	if r := do(t, 1<<22-1, sh("exit")); r.status != StatusFailed || !strings.Contains(r.err, "4194303") {
		t.Errorf("%+v", r)
	}
}

// runc is a container made by runc(8).
func runc(t *testing.T) int {
	t.Helper()
	id, bundle := fmt.Sprintf("cloneat-test-%d", os.Getpid()), t.TempDir()
	if err := os.Mkdir(filepath.Join(bundle, "rootfs"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, l := range []string{"bin", "sbin", "lib", "lib64"} {
		if err := os.Symlink("usr/"+l, filepath.Join(bundle, "rootfs", l)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(bundle, "config.json"), []byte(runcConfig), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("runc", "run", "-b", bundle, id)
	in, _ := cmd.StdinPipe()
	out, _ := cmd.StdoutPipe()
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	if s := bufio.NewScanner(out); !s.Scan() || s.Text() != "ready" {
		t.Fatal("runc's container did not become ready")
	}
	pid, err := Resolve("runc:" + id)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

const runcConfig = `{"ociVersion":"1.0.2","root":{"path":"rootfs"},
"process":{"cwd":"/","args":["sh","-c","echo ready; while read x; do :; done"],"env":["PATH=/usr/bin:/bin"],"user":{"uid":0,"gid":0}},
"mounts":[{"destination":"/proc","type":"proc","source":"proc"},
{"destination":"/usr","type":"bind","source":"/usr","options":["rbind","ro"]}],
"linux":{"namespaces":[{"type":"pid"},{"type":"mount"},{"type":"uts"},{"type":"ipc"}]}}`
