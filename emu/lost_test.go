// SPDX-License-Identifier: Apache-2.0

package emu_test

import (
	"os"
	"testing"

	"cloneat-emu/emu"
	"cloneat-emu/tests/built"
)

// TestNoSignalLost: a child that is given up waits as a SIGCHLD for a moment, and another
// child's, which the kernel dropped for that, was taken back with it.
func TestNoSignalLost(t *testing.T) {
	t.Parallel()
	succeeds(t, "emu/testdata/lost.c")
}

// TestThreadsSignalKept: of the two signals that then wait the one to the thread alone was taken
// back, and the other left.
func TestThreadsSignalKept(t *testing.T) {
	t.Parallel()
	succeeds(t, "emu/testdata/alone.c")
}

func succeeds(t *testing.T, program string) {
	t.Helper()
	cmd := emu.Command(built.C(t, program))
	out, err := built.Output(t, func(out *os.File) error {
		cmd.Stdout, cmd.Stderr = out, out
		return cmd.Run()
	})
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
