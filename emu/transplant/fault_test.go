// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"cloneat-emu/ptrace"

	"golang.org/x/sys/unix"
)

// stageNames are those of a whole rebuilding.
func stageNames() []string {
	var names []string
	for _, s := range (&build{snap: &Snapshot{}}).stages() {
		names = append(names, s.name)
	}
	return slices.Compact(names)
}

// TestKilledAtEveryStage kills child or caller before each stage: the call
// fails, nothing hangs, no half-made process and no descriptor is left.
func TestKilledAtEveryStage(t *testing.T) {
	fat := program(t, "fat", "-static")
	for _, whom := range []string{"child", "caller"} {
		for _, at := range stageNames() {
			t.Run(whom+" before "+at, func(t *testing.T) {
				s := start(t, fat, "1", "/bin/sleep", "1000")
				settle(t, s.thread)
				before := openFDs(t)
				s.born = func(pid int) func(string) {
					return func(stage string) {
						if stage == at && whom == "child" {
							_ = unix.Kill(pid, unix.SIGKILL)
						} else if stage == at {
							_ = unix.Kill(s.thread, unix.SIGKILL)
						}
					}
				}
				o := s.transplant(s.thread, Options{})
				if whom == "child" && !ptrace.Gone(o.err) {
					t.Errorf("got %v, want an error that says the process is gone", o.err)
				}
				if o.err != nil && running(o.pid) {
					t.Errorf("child %d runs although the call failed: %v", o.pid, o.err)
				}
				if after := openFDs(t); after > before {
					t.Errorf("%d descriptors open, %d before", after, before)
				}
			})
		}
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
// being made of a caller with more rights.
func TestNobodyLooksIn(t *testing.T) {
	s := start(t, "TARGET_UID=1000", program(t, "rich", "-static"), "early", "/bin/sleep", "1000")
	settle(t, s.thread)
	closed := false
	s.born = func(pid int) func(string) {
		return func(stage string) {
			closed = closed || stage == "check" // what comes before has nothing of the caller's
			if !closed {
				return
			}
			peek := exec.Command("setpriv", "--reuid", "1000", "--regid", "1001", "--clear-groups",
				"cat", procPath(pid, "environ"))
			if out, err := peek.Output(); err == nil {
				t.Errorf("before %q user 1000 reads %d bytes of the child", stage, len(out))
			}
			if err := memoryAsUser(pid); err == nil {
				t.Errorf("before %q user 1000 opens the memory of the child", stage)
			}
		}
	}
	if o := s.transplant(s.thread, Options{}); o.err != nil {
		t.Fatal(o.err)
	}
}

// memoryAsUser opens the child's memory as its target's user.
func memoryAsUser(pid int) error {
	return exec.Command("setpriv", "--reuid", "1000", "--regid", "1001", "--clear-groups",
		"dd", "if="+procPath(pid, "mem"), "of=/dev/null", "bs=1", "count=1", "skip="+strconv.Itoa(1<<20)).Run()
}
