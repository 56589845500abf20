// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestMark: what a test leaves behind is found by the mark in its environment (.ci/leftovers).
// The supervisor's own processes have it, too.
func TestMark(t *testing.T) {
	const name = "CLONEAT_TEST_RUN"
	if os.Getenv(name) == "" {
		t.Setenv(name, "TestMark")
	}
	c := startCounter(t)
	defer c.end(t)
	var found []string
	for p := c.cmd.Process.Pid; p != 0; p = child(p) {
		comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", p))
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, strings.TrimSpace(string(comm)))
		env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", p))
		if want := name + "=" + os.Getenv(name) + "\x00"; err != nil || !strings.Contains("\x00"+string(env), "\x00"+want) {
			t.Errorf("%s has no mark: %q, %v", found[len(found)-1], env, err)
		}
	}
	if len(found) != 4 { // front, operator, keeper, program
		t.Errorf("processes of a run: %q", found)
	}
}
