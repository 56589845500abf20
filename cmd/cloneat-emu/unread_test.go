// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"cloneat-emu/tests/built"
)

// TestUnreadTrace: where nobody reads the trace, the program's calls go on, and a signal that
// comes when it has ended is not left to a process that is gone.
func TestUnreadTrace(t *testing.T) {
	dir := bin(t)
	pipe := filepath.Join(dir, "trace")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(pipe, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if _, err := unix.FcntlInt(reader.Fd(), unix.F_SETPIPE_SZ, 4096); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(dir, "cloneat-emu"), "run", "--trace="+pipe, "--",
		"sh", "-c", `trap '' TERM; for i in $(seq 100); do "$0" self; done; echo over; exit 3`, filepath.Join(dir, "call"))
	_, out := built.Talk(t, cmd)
	for range 100 {
		built.Says(t, out, "child 7")
	}
	built.Says(t, out, "over")
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for { // the first may still go to the program
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		select {
		case err := <-ended:
			if code := cmd.ProcessState.ExitCode(); code != 3 {
				t.Errorf("%v, not the program's exit status", err)
			}
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}
