// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"os/exec"
	"strings"
	"testing"

	"cloneat-emu/tests/built"
)

// TestMachineForNothing: without a program that could run in it no machine is booted, and
// the exit status is a shell's.
func TestMachineForNothing(t *testing.T) {
	for program, want := range map[string]struct {
		status int
		says   string
	}{
		"/etc/passwd":     {statusNotRun, "cannot be executed: /etc/passwd"},
		"/":               {statusNotRun, "cannot be executed: /"},
		"./no/such/file":  {statusNotFound, "no such program: ./no/such/file"},
		"no-such-program": {statusNotFound, "no such program: no-such-program"},
	} {
		cmd := exec.Command(built.Emulator(t), "vm", "--", program)
		cmd.Dir = built.Root(t)
		out, err := cmd.CombinedOutput()
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok || exit.ExitCode() != want.status || !strings.Contains(string(out), want.says) {
			t.Errorf("vm -- %s: %v\n%s", program, err, out)
		}
	}
}
