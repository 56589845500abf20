// SPDX-License-Identifier: Apache-2.0

package exectable

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"cloneat-emu/tests/built"
)

// initScript is what every container's init runs: dash reaps whatever it adopts
// while it waits for the sleep.
const initScript = "while :; do sleep 1000; done"

// tool is a way to run a command in a container.
type tool struct {
	name string
	// start starts a container and returns its init and what runs a command
	// in it, to which the command's arguments are to be appended.
	start func(t *testing.T) (init int, client []string)
}

var tools = []tool{
	{"nsenter", startNsenter},
	{"runc exec", startRunc},
	{"podman exec", startPodman},
	{"lxc-attach", startLXC},
	{"cloneat-emu exec --admin", startOurs},
}

// need skips a test for which a program is not installed.
func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("%s is not installed: tests/exectable/install", program)
	}
}

// run runs a program that sets something up. Its output goes to a file: what it
// leaves running would keep a pipe open.
func run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = out, out
	err = cmd.Run()
	text, _ := os.ReadFile(out.Name())
	if err != nil {
		t.Skipf("a container of this tool does not start here: %s: %v\n%s", strings.Join(args, " "), err, text)
	}
	return strings.TrimSpace(string(text))
}

// rootfs is a directory that becomes a root once /usr is mounted into it.
func rootfs(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{"usr", "proc", "sys", "dev", "run", "tmp", "etc", "var", "root"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, l := range []string{"bin", "sbin", "lib", "lib64"} {
		if err := os.Symlink("usr/"+l, filepath.Join(dir, l)); err != nil {
			t.Fatal(err)
		}
	}
	script := "#!/bin/sh\n" + initScript + "\n"
	if err := os.WriteFile(filepath.Join(dir, "etc/init"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// unshared is a container without a tool behind it, in a cgroup of its own.
func unshared(t *testing.T) int {
	t.Helper()
	cmd := exec.Command("unshare", "-pfum", "--mount-proc", "--kill-child", "sh", "-c", initScript)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	init := waitForInit(t, cmd)
	pidfd, err := unix.PidfdOpen(init, 0)
	if err != nil {
		t.Fatal(err)
	}
	leave := func() {}
	t.Cleanup(func() {
		_ = unix.PidfdSendSignal(pidfd, unix.SIGKILL, nil, 0)
		_ = unix.Close(pidfd)
		_ = cmd.Wait()
		leave()
	})
	leave = cgroup(t, init)
	return init
}

// cgroup puts a process into a new cgroup. Its shell's sleep may stay outside.
func cgroup(t *testing.T, pid int) (leave func()) {
	t.Helper()
	top := "/sys/fs/cgroup"
	if _, err := os.Stat(top + "/cgroup.procs"); err != nil {
		top += "/pids" // version 1: any hierarchy will do
	}
	dir := fmt.Sprintf("%s/cloneat-exectable-%d", top, os.Getpid())
	if err := os.Mkdir(dir, 0o755); errors.Is(err, unix.EROFS) || errors.Is(err, unix.ENOENT) {
		t.Skipf("no control group can be made here: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/cgroup.procs", []byte(strconv.Itoa(pid)), 0); err != nil {
		t.Fatal(err)
	}
	return func() {
		// Processes that have exited leave the cgroup when they are reaped.
		for unix.Rmdir(dir) == unix.EBUSY {
			if pids, _ := os.ReadFile(dir + "/cgroup.procs"); len(pids) > 0 {
				t.Errorf("left in the container's cgroup: %s", pids)
				return
			}
		}
	}
}

func startNsenter(t *testing.T) (int, []string) {
	need(t, "nsenter")
	init := unshared(t)
	return init, []string{"nsenter", "-t", strconv.Itoa(init), "-p", "-m", "-u", "-r", "-w"}
}

func startOurs(t *testing.T) (int, []string) {
	init := unshared(t)
	return init, []string{built.Emulator(t), "exec", "--admin", strconv.Itoa(init), "--"}
}

func startRunc(t *testing.T) (int, []string) {
	need(t, "runc")
	id, bundle := name("runc"), t.TempDir()
	config := fmt.Sprintf(runcConfig, rootfs(t), initScript, id)
	if err := os.WriteFile(filepath.Join(bundle, "config.json"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, "runc", "run", "-d", "-b", bundle, id)
	t.Cleanup(func() { _ = exec.Command("runc", "delete", "-f", id).Run() })
	return pidIn(t, run(t, "runc", "state", id), `"pid": `), []string{"runc", "exec", id}
}

// pidIn finds a number behind a text.
func pidIn(t *testing.T, text, before string) int {
	t.Helper()
	_, rest, _ := strings.Cut(text, before)
	end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(rest)
	}
	pid, err := strconv.Atoi(rest[:end])
	if err != nil || pid <= 0 {
		t.Fatalf("no pid in %q", text)
	}
	return pid
}

// name is that of a container of this run.
func name(tool string) string { return fmt.Sprintf("cloneat-exectable-%s-%d", tool, os.Getpid()) }

const runcConfig = `{"ociVersion":"1.0.2","root":{"path":%q},
"process":{"cwd":"/","args":["sh","-c",%q],"env":["PATH=/usr/bin:/bin"],"user":{"uid":0,"gid":0}},
"mounts":[{"destination":"/proc","type":"proc","source":"proc"},
{"destination":"/usr","type":"bind","source":"/usr","options":["rbind","ro"]}],
"linux":{"cgroupsPath":"/%s","namespaces":[{"type":"pid"},{"type":"mount"},{"type":"uts"},{"type":"ipc"}]}}`

func startPodman(t *testing.T) (int, []string) {
	need(t, "podman")
	id := name("podman")
	t.Cleanup(func() { _ = exec.Command("podman", "rm", "-f", "-t", "0", id).Run() })
	run(t, "podman", "--runtime", "runc", "--cgroup-manager", "cgroupfs", "run", "-d", "--name", id,
		"--net", "host", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000",
		"-v", "/usr:/usr:ro", "--rootfs", rootfs(t), "sh", "-c", initScript)
	pid := run(t, "podman", "inspect", "--format", "{{.State.Pid}}", id)
	return pidIn(t, pid, ""), []string{"podman", "exec", id}
}

// startLXC makes a container where lxc's tools look for it by name alone.
func startLXC(t *testing.T) (int, []string) {
	need(t, "lxc-start")
	id := name("lxc")
	config := filepath.Join(t.TempDir(), "config")
	text := fmt.Sprintf("lxc.rootfs.path = dir:%s\nlxc.uts.name = box\nlxc.net.0.type = none\n"+
		"lxc.mount.entry = /usr usr none bind,ro 0 0\nlxc.mount.auto = proc\nlxc.init.cmd = /etc/init\n"+
		"lxc.apparmor.profile = unconfined\n", rootfs(t))
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, "lxc-create", "-n", id, "-t", "none", "-f", config)
	t.Cleanup(func() {
		_ = exec.Command("lxc-stop", "-k", "-n", id).Run()
		_ = exec.Command("lxc-wait", "-n", id, "-s", "STOPPED").Run()
		// Its root goes with it; /usr was mounted there for the container alone.
		if out, err := exec.Command("lxc-destroy", "-f", "-n", id).CombinedOutput(); err != nil {
			t.Errorf("lxc-destroy: %v\n%s", err, out)
		}
	})
	run(t, "lxc-start", "-n", id, "-o", filepath.Join(filepath.Dir(config), "log"))
	pid := run(t, "lxc-info", "-n", id, "-p", "-H")
	return pidIn(t, pid, ""), []string{"lxc-attach", "-n", id, "--"}
}
