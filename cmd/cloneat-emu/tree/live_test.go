// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"cloneat-emu/tests/built"
)

// start runs a shell script in a session of its own and returns the lines that
// it wrote up to "ready". The script is to end with its standard input.
func start(t *testing.T, command ...string) (*exec.Cmd, []string) {
	t.Helper()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true}
	cmd.Stderr = os.Stderr
	hold, out := built.Talk(t, cmd) // its end ends the script
	t.Cleanup(func() {
		_ = hold.Close()
		_ = cmd.Wait()
	})
	var said []string
	for s := bufio.NewScanner(out); s.Scan(); {
		if s.Text() == "ready" {
			return cmd, said
		}
		said = append(said, s.Text())
	}
	t.Fatal("the script ended before it was ready")
	return nil, nil
}

func TestLiveSeesZombie(t *testing.T) {
	cmd := exec.Command("sh", "-c", "exit 3")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }()
	if err := awaitExit(cmd.Process.Pid); err != nil {
		t.Fatal(err)
	}
	tree, err := Live(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	root, p := tree.Root(), tree.ByPID()[cmd.Process.Pid]
	sid, err := unix.Getsid(0) // 0 if its leader lives outside of our pid namespace
	if err != nil {
		t.Fatal(err)
	}
	if root.PID != os.Getpid() || root.PPID != 0 || root.SID != sid || len(root.Threads) < 2 {
		t.Errorf("root is %+v", root)
	}
	if p == nil || p.PPID != root.PID || p.SID != root.SID || p.PGID != root.PGID || p.State != "Z" || p.Exit != 3<<8 {
		t.Errorf("zombie is %+v in\n%s", p, tree.Text())
	}
}

// TestLiveSeesThroughADeadLeader: a process goes on when its first thread has
// ended, and what its other threads have forked are its children.
func TestLiveSeesThroughADeadLeader(t *testing.T) {
	cmd, _ := start(t, "python3", "-c", `
import ctypes, os, sys, threading
def other():
    while not open(f"/proc/self/stat").read().rpartition(")")[2].split()[0] == "Z":
        pass
    if os.fork() == 0:
        os.execvp("cat", ["cat"])
    print("ready", flush=True)
    sys.stdin.read()
    os._exit(0)
threading.Thread(target=other).start()
ctypes.CDLL(None).syscall(60, 0)  # exit, not exit_group
`)
	tree, err := Live(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	root := tree.Root()
	if root.Zombie() || len(root.Threads) != 2 || len(tree.Processes) != 2 {
		t.Errorf("read:\n%s", tree.Text())
	}
}

func TestLiveNumbersAreThoseOfTheRootsNamespace(t *testing.T) {
	cmd, _ := start(t, "unshare", "-pf", "--kill-child", "--mount-proc", "--uts",
		"sh", "-c", "sleep 1000 & echo ready; read x")
	tree, err := Live(onlyChild(t, cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(tree.Processes); n != 2 {
		t.Fatalf("%d processes, not 2:\n%s", n, tree.Text())
	}
	root, sleep := tree.Processes[0], tree.Processes[1]
	if root.PID != 1 || root.SID != 0 || len(root.HostPIDs) != 1 {
		t.Errorf("root is %+v", root)
	}
	if sleep.PID != 2 || sleep.PPID != 1 || sleep.Threads[0] != 2 || len(sleep.Namespaces) != 0 {
		t.Errorf("child is %+v", sleep)
	}
}

func TestLiveTellsWhichNamespacesDiffer(t *testing.T) {
	cmd, _ := start(t, "unshare", "-pf", "--kill-child", "--mount-proc", "sh", "-c", "echo ready; read x")
	tree, err := Live(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	init := tree.Processes[1]
	if diff := cmp.Diff([]string{"pid"}, init.newKinds()); diff != "" {
		t.Errorf("init's namespaces, besides the mounts that unshare moved itself: %s", diff)
	}
	if len(init.NSPID) != 1 || init.NSPID[0] != 1 {
		t.Errorf("init is %v inside", init.NSPID)
	}
	if !strings.Contains(tree.Text(), "/1 sh") {
		t.Errorf("the drawing does not show both numbers:\n%s", tree.Text())
	}
}

// TestLiveSeesWhoEntered: what nsenter and docker exec start is no init, and its parent is
// outside. That cannot be built, but shown it can be.
func TestLiveSeesWhoEntered(t *testing.T) {
	cmd, _ := start(t, "sh", "-c", `
unshare -pf --kill-child sleep 1000 & maker=$!
until init=$(cat /proc/$maker/task/$maker/children) && [ "$init" ]; do :; done
until nsenter -t $init -p true; do :; done
nsenter -t $init -p sh -c "echo ready; read x; true" <&0
kill -9 $init`)
	tree, err := Live(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	var entered *Process
	for _, p := range tree.Processes {
		if len(p.NSPID) == 1 && p.NSPID[0] != 1 {
			entered = p
		}
	}
	if entered == nil || entered.Comm != "sh" {
		t.Errorf("nobody entered:\n%s", tree.Text())
	}
	if err := tree.Check(); err == nil || !strings.Contains(err.Error(), "nspid") {
		t.Errorf("that it cannot be built is told as %v", err)
	}
}

func TestLiveOfNobody(t *testing.T) {
	if _, err := Live(1 << 22); err == nil || !strings.Contains(err.Error(), "4194304") {
		t.Errorf("error %v does not name the pid", err)
	}
}

// onlyChild waits until a process has a child, and returns it.
func onlyChild(t *testing.T, pid int) int {
	t.Helper()
	p := strconv.Itoa(pid)
	b := read(t, filepath.Join("/proc", p, "task", p, "children"))
	f := strings.Fields(string(b))
	if len(f) != 1 {
		t.Fatalf("pid %d has children %q", pid, f)
	}
	n, _ := strconv.Atoi(f[0])
	return n
}

// TestAwaitSleep: an idler that was read while it still ran is told as it stays.
func TestAwaitSleep(t *testing.T) {
	cmd, _ := start(t, "sh", "-c", "echo ready; read x")
	tree := &Tree{Processes: []*Process{{PID: cmd.Process.Pid, State: "R"}}}
	if awaitSleep(tree); tree.Root().State != "S" {
		t.Errorf("state %s, not S", tree.Root().State)
	}
}
