// SPDX-License-Identifier: Apache-2.0

package enter

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"cloneat-emu/tests/built"
)

// called prepares a run by the call, emulated, in which the command is an
// ancestor of a container. All of it is in a pid namespace that goes with it.
func called(t *testing.T, maker []string, o Options) *exec.Cmd {
	t.Helper()
	text, err := json.Marshal(order{Maker: maker, Options: o})
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = r.Close(), w.Close() })
	cmd := exec.Command("unshare", "-pf", "--kill-child", "--mount-proc", built.Emulator(t), "run", "--", os.Args[0])
	cmd.Env = append(os.Environ(), "ENTER_TEST_ORDER="+string(text))
	cmd.ExtraFiles = []*os.File{r}
	return cmd
}

func TestCallMakesAChildOfInit(t *testing.T) {
	for name, maker := range map[string][]string{"unshare": unshareMaker, "bwrap": bubbleMaker} {
		t.Run(name, func(t *testing.T) {
			o := sh("echo $PPID $$; pwd; exit 7")
			o.Hint = 77
			o.Workdir = "/usr"
			if r := finish(t, called(t, maker, o)); r.out != "1 77\n/usr\n" || r.status != 7 {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestCallLeavesNoDescriptor(t *testing.T) {
	o := sh("for n in 0 1 2 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$n ] && echo $n; done; true")
	if r := finish(t, called(t, unshareMaker, o)); r.out != "0\n1\n2\n" {
		t.Errorf("%+v", r)
	}
	o.Keep = []int{3}
	if r := finish(t, called(t, unshareMaker, o)); r.out != "0\n1\n2\n3\n" {
		t.Errorf("%+v", r)
	}
}

func TestCallFailures(t *testing.T) {
	o := Options{Command: []string{"no-such-command"}}
	if r := finish(t, called(t, unshareMaker, o)); r.status != StatusNotFound || !strings.Contains(r.err, "no-such-command") {
		t.Errorf("%+v", r)
	}
	o = sh("exit")
	o.Hint = 1
	if r := finish(t, called(t, unshareMaker, o)); r.status != StatusFailed || !strings.Contains(r.err, "pid 1 is taken") {
		t.Errorf("%+v", r)
	}
}

func TestCallOnlyForDescendants(t *testing.T) {
	target, err := Open(os.Getppid())
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	o := sh("exit")
	if err := Call(&o, target); err == nil || !strings.Contains(err.Error(), "not a descendant") {
		t.Errorf("error %v", err)
	}
}

func TestCallRelaysSignals(t *testing.T) {
	// The shell's background process keeps it from waiting in a builtin.
	cmd := called(t, unshareMaker, sh(`trap 'echo term; exit 9' TERM; echo here; while :; do sleep 0.01; done`))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(out)
	_, _ = in.ReadString('\n')
	if err := unix.Kill(stageBelow(t, cmd.Process.Pid), unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(in)
	_ = cmd.Wait()
	if string(rest) != "term\n" || cmd.ProcessState.ExitCode() != 9 {
		t.Errorf("%q, %v", rest, cmd.ProcessState)
	}
}

// stageBelow finds the stage below a process.
func stageBelow(t *testing.T, pid int) int {
	t.Helper()
	for todo := []int{pid}; len(todo) > 0; todo = todo[1:] {
		args, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", todo[0]))
		if strings.HasPrefix(string(args), "cloneat-stage") {
			return todo[0]
		}
		todo = append(todo, children(todo[0])...)
	}
	t.Fatalf("no stage below %d", pid)
	return 0
}
