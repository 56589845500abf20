// SPDX-License-Identifier: Apache-2.0

package emu_test

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu"
	"cloneat-emu/tests/built"
)

// TestNoStrangerForHeir: the caller is killed while the init engine's helpers are at work. Who
// adopts its orphans used to get one of them.
func TestNoStrangerForHeir(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"forked", "init: father made", "init: father over there", "init: child made", "init: child ready"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			noStranger(t, "emu/testdata/orphaned.c", step, func(*emu.Cmd) {})
		})
	}
}

// TestNoHelperForHeir: the caller is killed when it has cloned the helper that hands over its
// descriptors. The child, which the operator had known of before, was taken for that; it itself
// ran to its end, and was left to whoever adopts the caller's orphans.
func TestNoHelperForHeir(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"transplant: descriptors", emu.HelperForked, "transplant: processors"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			noStranger(t, "emu/testdata/headless.c", step, (*emu.Cmd).Before69)
		})
	}
}

// noStranger has the caller of a program, which tells its pid, killed at a step.
func noStranger(t *testing.T, program, step string, change func(*emu.Cmd)) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := emu.Command(built.C(t, program))
	cmd.Stdout, cmd.Stderr = w, os.Stderr
	cmd.StopAt(step)
	change(cmd)
	err = cmd.Start()
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	var caller int
	if _, err := fmt.Fscan(r, &caller); err != nil {
		t.Error(err)
	} else if awaitStopped(t, cmd.Operator()) {
		if err := unix.Kill(caller, unix.SIGKILL); err != nil {
			t.Error(err)
		}
	}
	if err := unix.Kill(cmd.Operator(), unix.SIGCONT); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
