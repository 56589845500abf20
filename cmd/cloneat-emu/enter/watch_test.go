// SPDX-License-Identifier: Apache-2.0

package enter

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"cloneat-emu/tests/built"
)

// old runs a script in a container as on a kernel that keeps no exit status for
// pidfds.
func old(t *testing.T, init int, script string) result {
	t.Helper()
	return finish(t, commandOf(order{Target: strconv.Itoa(init), Old: true, Options: sh(script)}))
}

// careless is a container whose init ignores SIGCHLD: its children leave no zombie
// from which a status could be read, unless somebody traces them.
func careless(t *testing.T) int {
	t.Helper()
	return container(t, "unshare", "-pfm", "--mount-proc", "--kill-child",
		"perl", "-e", `$| = 1; $SIG{CHLD} = "IGNORE"; print "ready\n"; <STDIN>`)
}

func TestExitStatusOnAnOldKernel(t *testing.T) {
	init := careless(t)
	for script, want := range map[string]int{
		"kill -KILL $$":       137,
		"kill -TERM $$":       143,
		"exec sh -c 'exit 6'": 6,
		// A signal is delivered, a stop is one, and both go by.
		"trap 'exit 7' USR1; kill -USR1 $$; exit 8":                                                        7,
		"until grep -q 'State:.[Tt]' /proc/$$/status; do :; done && kill -CONT $$ & kill -STOP $$; exit 9": 9,
		"perl -e 'fork // die; wait; exit 10'":                                                             10,
		"ulimit -c 0; kill -SEGV $$":                                                                       139,
		"sh -c 'kill -TERM $PPID' & wait; exit 13 # the signal ends it by default":                         143,
	} {
		if r := old(t, init, script); r.status != want {
			t.Errorf("%s: %+v, want %d", script, r, want)
		}
	}
	nobodyBut(t, init)
}

// TestOldKernelClientsDeath: a command whose tracer is killed goes on.
func TestOldKernelClientsDeath(t *testing.T) {
	init := careless(t)
	cmd := commandOf(order{Target: strconv.Itoa(init), Old: true, Options: sh("echo here; read x; exit 3")})
	in, out := built.Talk(t, cmd)
	built.Says(t, out, "here")
	if got := traced(t, init); !got {
		t.Error("the command has no tracer")
	}
	_ = cmd.Process.Kill()
	_, _ = cmd.Process.Wait()
	inside := members(t, init)
	if len(inside) != 2 {
		t.Fatalf("inside are %v, not the init and the command", inside)
	}
	if traced(t, init) {
		t.Error("the command is traced still")
	}
	_ = in.Close() // the command's read ends, and it with it
	nobodyBut(t, init)
}

// traced reports whether anybody in a container is.
func traced(t *testing.T, init int) bool {
	t.Helper()
	for _, pid := range members(t, init) {
		st, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err == nil && !strings.Contains(string(st), "\nTracerPid:\t0\n") {
			return true
		}
	}
	return false
}

// TestWatchNeedsATracee: who traces already has it.
func TestWatchNeedsATracee(t *testing.T) {
	if _, err := watch(os.Getpid()); err == nil {
		t.Error("a process traces itself")
	}
	if _, err := watch(1<<22 - 1); err == nil || !strings.Contains(err.Error(), "4194303") {
		t.Errorf("error %v", err)
	}
}
