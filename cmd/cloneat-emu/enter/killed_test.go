// SPDX-License-Identifier: Apache-2.0

package enter

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestDriverKilled: the stage, which is the command for whoever waits for it, ends when nobody
// gives it orders any more.
func TestDriverKilled(t *testing.T) {
	cmd := called(t, unshareMaker, sh("echo ready; exec sleep 1000"))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Errorf("%q, %v", line, err)
	}
	driver := below(cmd.Process.Pid, driverName)
	if driver == 0 {
		_ = cmd.Process.Kill()
		t.Fatal("there is no driver")
	}
	kill(t, driver)
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 128+int(unix.SIGKILL) {
		t.Errorf("%v, want status 137", err)
	}
}

// below finds a descendant by its argv[0], 0 if there is none.
func below(pid int, name string) int {
	var children string
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, name := range threads {
		b, _ := os.ReadFile(name)
		children += string(b) + " "
	}
	for _, field := range strings.Fields(children) {
		var child int
		_, _ = fmt.Sscan(field, &child)
		if line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", child)); strings.HasPrefix(string(line), name) {
			return child
		}
		if found := below(child, name); found != 0 {
			return found
		}
	}
	return 0
}
