// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"cloneat-emu/tests/built"
)

// TestFewTasks: a control group without room for the supervisor's threads is said to be one; the
// Go runtime gives up with a page of its own.
func TestFewTasks(t *testing.T) {
	group := pidsGroup(t)
	for _, most := range []string{"20", "30"} {
		if err := os.WriteFile(filepath.Join(group, "pids.max"), []byte(most), 0); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("sh", "-c", `echo 0 >"$1" && exec "$2" run -- true`, "sh",
			filepath.Join(group, "cgroup.procs"), built.Emulator(t))
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 125 || !strings.Contains(string(out), "pids.max") ||
			strings.Contains(string(out), "runtime:") {
			t.Errorf("%s tasks: %v\n%s", most, err, out)
		}
	}
}

// pidsGroup makes a control group whose tasks are counted.
func pidsGroup(t *testing.T) string {
	t.Helper()
	for _, root := range []string{"/sys/fs/cgroup/pids", "/sys/fs/cgroup"} {
		group, err := os.MkdirTemp(root, "cloneat-tasks-")
		if err != nil {
			continue
		}
		t.Cleanup(func() { _ = os.Remove(group) })
		if _, err := os.Stat(filepath.Join(group, "pids.max")); err == nil {
			return group
		}
	}
	t.Skip("no control group with the pids controller can be made here")
	return ""
}
