// SPDX-License-Identifier: Apache-2.0

package emu_test

import (
	"os"
	"testing"

	"cloneat-emu/emu"
	"cloneat-emu/tests/built"
)

// TestThreadInVfork: one thread of the caller waits in vfork(2) and cannot be stopped
// while the init engine works in that process, and another one executes a program then.
// It used to get the engine's helper for a child.
func TestThreadInVfork(t *testing.T) {
	t.Parallel()
	unstopped(t, "vfork", "init: father made")
}

// TestThreadTraced: one thread of the caller has another tracer, who may let it execute a
// program at any time.
func TestThreadTraced(t *testing.T) {
	t.Parallel()
	unstopped(t, "traced", "")
}

func unstopped(t *testing.T, how, held string) {
	t.Helper()
	cmd := emu.Command(built.C(t, "emu/testdata/unstopped.c"), how)
	if held != "" {
		cmd.HoldAt(held)
	}
	out, err := built.Output(t, func(out *os.File) error {
		cmd.Stdout, cmd.Stderr = out, out
		return cmd.Run()
	})
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
