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
	cmd := emu.Command(built.C(t, "emu/testdata/lost.c"))
	out, err := built.Output(t, func(out *os.File) error {
		cmd.Stdout, cmd.Stderr = out, out
		return cmd.Run()
	})
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
