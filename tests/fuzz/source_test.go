// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"cloneat-emu/tests/built"
)

// printed writes programs as C and returns the files.
func printed(t *testing.T, programs ...Program) []string {
	t.Helper()
	dir := t.TempDir()
	var paths []string
	for i, p := range programs {
		path := filepath.Join(dir, fmt.Sprintf("printed%d.c", i))
		if err := os.WriteFile(path, []byte(Source(p)), 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}

// TestEveryProgramCompilesAsC compiles the corpus, programs that are drawn, and
// every way in which arguments are wrong.
func TestEveryProgramCompilesAsC(t *testing.T) {
	programs := corpus(t)
	for n := range 20 {
		programs = append(programs, Draw(6, n))
	}
	for fault := range faults {
		op := Op{Name: "cloneat", Child: 1, Args: []string{"P0", "0", "0x11", "0", "8", fmt.Sprint(fault)}}
		programs = append(programs, Program{Ops: []Op{op}})
	}
	args := []string{"-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", "-I" + filepath.Join(built.Root(t), "kernel/include/uapi")}
	out, err := exec.Command("gcc", append(args, printed(t, programs...)...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// TestSourceRuns lets a program run that was printed as C: with a fork, a child
// that shares memory, one that waits in vfork, and an exec. Its hints are only
// free for sure in a pid namespace of its own.
func TestSourceRuns(t *testing.T) {
	p, err := parseProgram(`
		clone P0 P1 0x11
		cloneat P0 P2 P1 1003 0x11 0 8 0
		cloneat P0 P3 P1 0 0x11 0 8 3
		exit P2 3
		wait P1 P2
		cloneat P0 P4 P0 1004 0x111 0 8 0
		exec P4
		exit P4 0
		cloneat P0 P5 P1 1005 0x4011 0 8 0
		exit P5 0
		wait P0 P4
	`)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(built.Emulator(t), "run", "--", "unshare", "--pid", "--fork", "--mount-proc", "--kill-child",
		built.C(t, printed(t, p)...)).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{
		"2: birth of P2 = 1003 \n", "3: birth of P3 = -1 Invalid argument\n", "5: wait = 1003 \n",
		"6: birth of P4 = 1004 \n", "7: exec = 0 \n", "9: birth of P5 = 1005 \n", "10: exit = 0 \n", "11: wait = 1004 \n",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}
