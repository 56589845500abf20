// SPDX-License-Identifier: Apache-2.0

package emu_test

import (
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu"
	"cloneat-emu/emu/proc"
	"cloneat-emu/tests/built"
)

// TestNprocIsReachedMeanwhile: between the check of the caller's RLIMIT_NPROC and the
// target's clone, others of the same user take what is left. It used to look like a
// limit of the target's.
func TestNprocIsReachedMeanwhile(t *testing.T) {
	user := strconv.Itoa(100000 + os.Getpid()) // nobody else's
	asUser := []string{"--reuid", user, "--regid", user, "--clear-groups"}
	dir := built.OpenDir(t)
	loops := dir + "/loops"
	if out, err := exec.Command("cp", built.C(t, "tests/bench/loops/loops.c"), loops).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := emu.Command("setpriv", append(slices.Clone(asUser), "prlimit", "--nproc=6:6", loops, "forked", "1", "3")...)
	cmd.StopAt("target stopped")
	out, err := built.Output(t, func(out *os.File) error {
		cmd.Stdout, cmd.Stderr = out, out
		if err := cmd.Start(); err != nil {
			return err
		}
		awaitStopped(t, cmd.Operator())
		for range 10 {
			other := exec.Command("setpriv", append(slices.Clone(asUser), "sleep", "1000")...)
			if err := other.Start(); err != nil {
				t.Error(err)
				break
			}
			defer func() {
				_ = other.Process.Kill()
				_ = other.Wait()
			}()
			awaitUser(t, other.Process.Pid)
		}
		if err := unix.Kill(cmd.Operator(), unix.SIGCONT); err != nil {
			t.Error(err)
		}
		return cmd.Wait()
	})
	if err == nil || !strings.Contains(out, "cloneat: Resource temporarily unavailable") {
		t.Errorf("%v\n%s", err, out)
	}
}

// awaitUser waits until a process has executed sleep.
func awaitUser(t *testing.T, pid int) {
	t.Helper()
	dir, err := proc.Open(pid)
	if err != nil {
		t.Error(err)
		return
	}
	defer dir.Close()
	for ; ; time.Sleep(time.Millisecond) {
		st, err := dir.Stat()
		switch {
		case err != nil || st.Exiting():
			t.Errorf("no sleep, %v", err)
			return
		case st.Comm == "sleep":
			return
		}
	}
}
