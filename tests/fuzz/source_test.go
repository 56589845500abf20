// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"cloneat-emu/tests/built"
)

// TestSourceRuns compiles a program that was printed as C, and lets it run.
func TestSourceRuns(t *testing.T) {
	p := Program{Ops: []Op{
		{Name: "clone", Actor: 0, Child: 1, Args: []string{"0x11"}},
		{Name: "cloneat", Actor: 0, Child: 2, Args: []string{"P1", "1003", "0x11", "0", "8", "0"}},
		{Name: "cloneat", Actor: 0, Child: 3, Args: []string{"P1", "0", "0x11", "0", "8", "3"}},
		{Name: "exit", Actor: 2, Child: -1, Args: []string{"3"}},
		{Name: "wait", Actor: 1, Child: -1, Args: []string{"P2"}},
	}}
	path := filepath.Join(t.TempDir(), "printed.c")
	if err := os.WriteFile(path, []byte(Source(p)), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(built.Emulator(t), "run", "--", built.C(t, path)).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{
		"2: birth of P2 = 1003 \n", "3: birth of P3 = -1 Invalid argument\n", "5: wait = 1003 \n",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}
