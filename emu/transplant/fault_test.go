// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"cloneat-emu/ptrace"

	"golang.org/x/sys/unix"
)

// stageNames are those of a whole rebuilding, in order: some come more than once.
func stageNames() (names []string) {
	for _, s := range (&build{snap: &Snapshot{}}).stages() {
		names = append(names, s.name)
	}
	return names
}

// TestKilledAtEveryStage kills child or caller before each stage: the call
// fails, nothing hangs, no half-made process and no descriptor is left.
func TestKilledAtEveryStage(t *testing.T) {
	fat := program(t, "fat", "-static")
	for _, whom := range []string{"child", "caller"} {
		for n, at := range stageNames() {
			t.Run(fmt.Sprintf("%s before %d, %s", whom, n, at), func(t *testing.T) { killed(t, fat, whom, n, at) })
		}
	}
}

// killed kills one of them before stage n.
func killed(t *testing.T, fat, whom string, n int, at string) {
	s := start(t, fat, "1", "/bin/sleep", "1000")
	settle(t, s.thread)
	before := openFDs(t)
	var come []string
	s.born = func(pid int) func(string) {
		return func(stage string) {
			if come = append(come, stage); len(come) != n+1 {
				return
			}
			victim := pid
			if whom == "caller" {
				victim = s.thread
			}
			if err := unix.Kill(victim, unix.SIGKILL); err != nil {
				t.Error(err)
			}
		}
	}
	o := s.transplant(s.thread, Options{})
	if len(come) <= n || come[n] != at {
		t.Errorf("nobody was killed before %q: %q came", at, come)
	}
	if whom == "child" && !ptrace.Gone(o.err) {
		t.Errorf("got %v, want an error that says the process is gone", o.err)
	}
	if o.err != nil && running(o.pid) {
		t.Errorf("child %d runs although the call failed: %v", o.pid, o.err)
	}
	if after := openFDs(t); after > before {
		t.Errorf("%d descriptors open, %d before", after, before)
	}
}

func openFDs(t *testing.T) int {
	t.Helper()
	fds, err := listFDs(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	return len(fds)
}

// running reports whether pid is a process that is no zombie.
func running(pid int) bool {
	st, err := os.ReadFile(procPath(pid, "stat"))
	return err == nil && !strings.Contains(string(st), ") Z ") && !strings.Contains(string(st), ") X ")
}

// TestNobodyLooksIn lets the target's user try to read the child while it is
// being made of a caller with more rights. As long as it is the target's alone, that
// user may.
func TestNobodyLooksIn(t *testing.T) {
	s := start(t, "TARGET_PLAIN_UID=1000", program(t, "rich", "-static"), "early", "/bin/sleep", "1000")
	settle(t, s.thread)
	born, closed := false, false
	s.born = func(pid int) func(string) {
		return func(stage string) {
			if !born {
				born = true
				for _, file := range []string{"environ", "mem"} {
					if err := openAsUser(pid, file); err != nil {
						t.Errorf("user 1000 cannot open %s of its target's child: the attack does not begin: %v", file, err)
					}
				}
			}
			closed = closed || stage == "check" // what comes before has nothing of the caller's
			if !closed {
				return
			}
			for _, file := range []string{"environ", "mem"} {
				if openAsUser(pid, file) == nil {
					t.Errorf("before %q user 1000 opens %s of the child", stage, file)
				}
			}
		}
	}
	if o := s.transplant(s.thread, Options{}); o.err != nil {
		t.Fatal(o.err)
	}
	if !closed {
		t.Error("nobody has tried to look in")
	}
}

// openAsUser opens a file of the child's in /proc as its target's user. The access is
// checked then, and where nothing is mapped there is nothing to read.
func openAsUser(pid int, file string) error {
	return exec.Command("setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups",
		"sh", "-c", "exec 3<"+procPath(pid, file)).Run()
}
