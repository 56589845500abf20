// SPDX-License-Identifier: Apache-2.0

package emu_test

import (
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu"
)

// TestSignalToNothing: a command that could not be started has no one to be signalled, and no
// descriptor of anybody else's is written to instead.
func TestSignalToNothing(t *testing.T) {
	cmd := emu.Command("true")
	cmd.Prototypes = []string{"no such call"}
	if err := cmd.Start(); err == nil {
		t.Fatal("it was started")
	}
	if err := cmd.Signal(unix.SIGTERM); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("error %v", err)
	}
}
