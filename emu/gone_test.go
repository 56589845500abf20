// SPDX-License-Identifier: Apache-2.0

package emu_test

import (
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu"
	"cloneat-emu/emu/proc"
	"cloneat-emu/tests/built"
)

// TestCallerIsGoneBeforeItsRows: a caller is killed and reaped while its call is looked
// at. That there is nobody to judge used to look like a target that had just gone, which
// is looked for anew, and the caller was its own target: for ever.
func TestCallerIsGoneBeforeItsRows(t *testing.T) {
	t.Parallel()
	cmd := emu.Command(built.C(t, "emu/testdata/hints.c"))
	cmd.StopAt("caller opened")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	operator := cmd.Operator()
	dir, err := proc.Open(operator)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if awaitStopped(t, operator) {
		killed(t, cmd.Pid)
	}
	if err := unix.Kill(operator, unix.SIGCONT); err != nil {
		t.Error(err)
	}
	var exit *emu.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.Status.Signal() != unix.SIGKILL {
		t.Errorf("the program was killed, Wait says %v", err)
	}
	awaitIdleEnd(t, dir)
}

// awaitIdleEnd waits until a process has been reaped, unless it works on and on.
func awaitIdleEnd(t *testing.T, dir *proc.Dir) {
	t.Helper()
	const ticks = 300 // of processor time, 3 seconds; a busy machine adds little to it
	for ; dir.Alive(); time.Sleep(time.Millisecond) {
		st, err := dir.Stat()
		if err == nil && st.Utime+st.Stime > ticks {
			t.Errorf("the operator goes on for ever")
			_ = unix.Kill(dir.PID, unix.SIGKILL)
			return
		}
	}
}

// killed kills a process and waits until it is reaped by its parent.
func killed(t *testing.T, pid int) {
	t.Helper()
	dir, err := proc.Open(pid)
	if err != nil {
		t.Error(err)
		return
	}
	defer dir.Close()
	if err := unix.Kill(pid, unix.SIGKILL); err != nil {
		t.Error(err)
	}
	for dir.Alive() {
		time.Sleep(time.Millisecond)
	}
}
