// SPDX-License-Identifier: Apache-2.0

package enter

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
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

func TestClientsDeathLeavesNoZombie(t *testing.T) {
	init := unshared(t)
	cmd := command(init, sh("echo $$; read x; exit 3"))
	out, _ := cmd.StdoutPipe()
	in, _ := cmd.StdinPipe()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = bufio.NewReader(out).ReadString('\n')
	inside := members(t, init)
	_ = cmd.Process.Kill()
	_, _ = cmd.Process.Wait()
	if got := members(t, init); len(got) != len(inside) {
		t.Errorf("the command died with its client: %v, before %v", got, inside)
	}
	for _, pid := range inside {
		if pid == init {
			continue
		}
		fd, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			t.Fatal(err)
		}
		_ = in.Close() // the command's read ends
		_, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1)
		_ = unix.Close(fd)
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
