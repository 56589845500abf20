// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"cloneat-emu/tests/built"
)

// underCall is set in a test binary that runs with the call: see
// TestBuildByTheCall.
const underCall = "TREE_TEST_CALLERS"

// options are options that need no cloneat: every parent makes its own children
// with clone3(2). The plan is the same but for who calls. With the call, they are
// those of the call.
func options(in string) *Options {
	switch os.Getenv(underCall) {
	case "creator":
		return &Options{In: in, Callers: CreatorCalls}
	case "parents":
		return &Options{In: in, Callers: ParentsCall}
	case "light":
		return &Options{In: in, Callers: CreatorCalls, Light: true}
	case "outside":
		return &Options{In: in, Callers: CreatorCalls, Outside: true}
	}
	return &Options{In: in, Callers: ParentsCall, Fork: true}
}

// private reports whether the test runs in a pid namespace in which nobody else
// takes numbers. If not, it runs it there.
func private(t *testing.T) bool {
	t.Helper()
	const inner = "TREE_TEST_PRIVATE"
	if os.Getenv(inner) != "" {
		return true
	}
	cmd := exec.Command("unshare", "-pf", "--mount-proc", "--kill-child",
		os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), inner+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("%v\n%s", err, out)
	}
	return false
}

// stand makes a tree that is taken down with the test.
func stand(t *testing.T, tree *Tree, o *Options) *Built {
	t.Helper()
	b, err := Build(tree, o)
	if err != nil {
		t.Fatal(err)
	}
	members := map[int]int{} // pidfds: their numbers may be others' afterwards
	for _, p := range b.Tree.Processes {
		if members[p.host()], err = unix.PidfdOpen(p.host(), 0); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(func() {
		b.Close()
		for pid, fd := range members {
			if err := unix.PidfdSendSignal(fd, 0, nil, 0); err != unix.ESRCH {
				t.Errorf("process %d is left behind (%v)", pid, err)
			}
			_ = unix.Close(fd)
		}
	})
	return b
}

func TestBuildCRIUTrees(t *testing.T) {
	for _, dir := range []string{"plain", "mixed", "container"} {
		t.Run(dir, func(t *testing.T) {
			tree, err := FromCRIU(filepath.Join("testdata", dir))
			if err != nil {
				t.Fatal(err)
			}
			b := stand(t, tree, options("new"))
			if len(b.Notes) > 0 {
				t.Errorf("could not be had: %s\nmade:\n%s", strings.Join(b.Notes, "\n"), b.Tree.Text())
			}
		})
	}
}

// parse reads a tree written as one line a process: pid ppid pgid sid state.
func parse(t *testing.T, lines ...string) *Tree {
	t.Helper()
	tree := &Tree{Version: Version}
	for _, l := range lines {
		p := &Process{}
		if _, err := fmt.Sscan(l, &p.PID, &p.PPID, &p.PGID, &p.SID, &p.State); err != nil {
			t.Fatal(err)
		}
		tree.Processes = append(tree.Processes, p)
	}
	if err := tree.Check(); err != nil {
		t.Fatal(err)
	}
	return tree
}

// oddTrees are trees that no single creator could make by plain calls.
var oddTrees = map[string][]string{
	"dead session leader above the root":     {"20 0 20 10 S", "21 20 20 10 S", "22 20 22 10 S"},
	"dead session leader of a child of init": {"1 0 1 1 S", "16 1 16 13 S", "17 16 16 13 S", "18 1 13 13 S"},
	"dead group leader":                      {"20 0 20 20 S", "21 20 30 20 S", "22 20 30 20 S", "23 22 30 20 S"},
	"group of the dead session leader":       {"20 0 10 10 S", "21 20 10 10 S"},
	"zombie that leads a session with life":  {"1 0 1 1 S", "5 1 5 5 Z", "6 1 5 5 S", "7 6 5 5 S"},
	"zombie that leads a group":              {"20 0 20 20 S", "21 20 21 20 Z", "22 20 21 20 S"},
	"session leader below its own member's uncle": {
		"1 0 1 1 S", "2 1 2 2 S", "3 2 3 3 S", "4 1 3 3 S", "5 4 5 3 S",
	},
	"members of one dead session at two heights": {
		"1 0 1 1 S", "2 1 2 2 S", "4 1 30 30 S", "5 2 30 30 S",
	},
	"pids not in the order of birth": {"50 0 50 50 S", "40 50 50 50 S", "30 40 30 50 S", "20 30 30 50 S"},
	"stopped":                        {"20 0 20 20 S", "21 20 20 20 T"},
}

func TestBuildOddTrees(t *testing.T) {
	for name, lines := range oddTrees {
		if os.Getenv(underCall) == "outside" && !strings.HasPrefix(lines[0], "1 ") {
			continue // from outside means of a new namespace's init
		}
		t.Run(name, func(t *testing.T) {
			b := stand(t, parse(t, lines...), options("new"))
			if len(b.Notes) > 0 {
				t.Errorf("could not be had: %s\nmade:\n%s", strings.Join(b.Notes, "\n"), b.Tree.Text())
			}
		})
	}
}

func TestBuildSaysWhatCannotBeHad(t *testing.T) {
	// 4's session is led by its cousin, which is no ancestor of 4's parent 2,
	// nor the other way round.
	b := stand(t, parse(t, "1 0 1 1 S", "2 1 2 2 S", "3 1 3 3 S", "4 2 3 3 S"), options("new"))
	if notes := strings.Join(b.Notes, "\n"); !strings.Contains(notes, "process 4: session 3 cannot be had") {
		t.Errorf("notes: %s", notes)
	}
}

func TestBuildNestedNamespaces(t *testing.T) {
	tree := parse(t, "1 0 1 1 S", "5 1 5 5 S", "6 5 6 6 S", "7 6 6 6 S", "8 6 8 6 S", "9 1 1 1 S")
	tree.Processes[2].NSPID = []int{1}
	tree.Processes[3].NSPID = []int{7}
	tree.Processes[4].NSPID = []int{3}
	b := stand(t, tree, options("new"))
	for _, n := range b.Notes {
		if !strings.Contains(n, "its number in the root's pid namespace") {
			t.Error(n)
		}
	}
	inner := match(tree, b.Tree)[tree.Processes[3]]
	if inner == nil || inner.NSPID[0] != 7 {
		t.Errorf("made:\n%s", b.Tree.Text())
	}
}

// TestBuildTellsOfNamespaces: build makes no others than those of pids, and says so.
func TestBuildTellsOfNamespaces(t *testing.T) {
	tree := parse(t, "1 0 1 1 S", "2 1 2 2 S", "3 2 3 3 S")
	tree.Processes[0].Namespaces = map[string]string{"mnt": "1", "net": "2"}
	tree.Processes[1].Namespaces = map[string]string{"uts": "4", "mnt": "3"}
	notes := stand(t, tree, options("new")).Notes
	if len(notes) != 1 || !strings.HasPrefix(notes[0], "process 2: mnt, uts are its parent's") {
		t.Errorf("notes: %q", notes)
	}
}

func TestBuildHereAndInAnothersNamespace(t *testing.T) {
	if !private(t) {
		return
	}
	cmd, _ := start(t, "unshare", "-pf", "--kill-child", "sh", "-c", "echo ready; read x")
	inside := fmt.Sprint(onlyChild(t, cmd.Process.Pid))
	for _, in := range []string{"here", inside} {
		base := 20000
		tree := parse(t, fmt.Sprintf("%d 0 %d %d S", base, base, base), fmt.Sprintf("%d %d %d %d S", base+1, base, base+1, base))
		b := stand(t, tree, options(in))
		if len(b.Notes) > 0 {
			t.Errorf("in %s: %v", in, b.Notes)
		}
	}
}

// TestEndReapsBehindASlowCreator: that the root is dead by then does not make the
// creator dead, which has it still to reap; nobody else would.
func TestEndReapsBehindASlowCreator(t *testing.T) {
	if !private(t) {
		return
	}
	cmd, _ := start(t, "unshare", "-pf", "--kill-child", "sh", "-c", "echo ready; read x")
	o := options(fmt.Sprint(onlyChild(t, cmd.Process.Pid)))
	b := stand(t, parse(t, "20000 0 20000 20000 S"), o).b
	creator, root := b.host[Creator], b.host[Actor(20000)]
	gone, asked := b.tasks[Creator].Gone, 0
	b.tasks[Creator].Gone = func() bool {
		if dead := gone(); dead || !exiting(root) {
			return dead
		}
		if asked++; asked == 2 {
			_ = unix.Kill(creator, unix.SIGCONT)
		}
		return false
	}
	if err := unix.Kill(creator, unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
}

func TestBuildNamesWhoHasAPid(t *testing.T) {
	if !private(t) {
		return
	}
	me := os.Getpid()
	root := me + 1000
	tree := parse(t, fmt.Sprintf("%d 0 %d %d S", root, root, root), fmt.Sprintf("%d %d %d %d S", me, root, root, root))
	_, err := Build(tree, options("here"))
	var taken *TakenError
	if !errors.As(err, &taken) || taken.Number != me || !strings.Contains(taken.Who, fmt.Sprintf("process %d (", me)) {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(fmt.Sprintf("/proc/%d", root)); err == nil {
		t.Errorf("the root is left behind")
	}
}

func TestBuildNoticesThatAMemberWasKilled(t *testing.T) {
	tree := parse(t, "1 0 1 1 S", "70 1 70 70 S", "71 70 71 70 S", "72 70 70 70 S")
	for _, pid := range []int{1, 70} {
		o := options("new")
		killed := false
		var b *builder
		o.Progress = func(done, total int) {
			if host, err := b.hostPID(Actor(pid)); err == nil && !killed && done > total/2 {
				killed = true
				_ = unix.Kill(host, unix.SIGKILL)
			}
		}
		b = newBuilder(tree, o)
		if _, err := b.run(); err == nil || !killed {
			t.Errorf("process %d was killed (%t), error %v", pid, killed, err)
		}
	}
}

func TestRootThatIsInitNeedsANewNamespace(t *testing.T) {
	if _, err := Build(parse(t, "1 0 1 1 S"), options("here")); err == nil || !strings.Contains(err.Error(), "new pid namespace") {
		t.Errorf("error %v", err)
	}
}

// TestBuildByTheCall runs the other tests of building with cloneat, emulated:
// each way of dividing the calls among callers has to give the same trees. The
// plan is the same with light as with creator, the engine not.
func TestBuildByTheCall(t *testing.T) {
	if os.Getenv(underCall) != "" {
		t.Skip("this is the inner run")
	}
	for callers, tests := range map[string]string{
		"creator": "TestBuildCRIUTrees/mixed|TestBuildOddTrees/dead|TestBuildNested|TestMembers",
		"parents": "TestBuild|TestMembers",
		"light":   "TestBuild|TestMembers",
		"outside": "TestBuildCRIUTrees/container|TestBuildOddTrees|TestBuildNested",
	} {
		t.Run(callers, func(t *testing.T) {
			cmd := exec.Command(built.Emulator(t), "run", "--", os.Args[0], "-test.run", tests, "-test.v")
			cmd.Env = append(os.Environ(), underCall+"="+callers)
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "--- PASS: TestBuild") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
