// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"cloneat-emu/emu/proc"
	"cloneat-emu/tests/built"
)

// TestKinEnded: a child is dead when its parent has been told of it, and not when its leader is a
// zombie: the parent would be told twice.
func TestKinEnded(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(built.C(t, "emu/testdata/kin.c"))
	cmd.Stderr = os.Stderr
	in, out := built.Talk(t, cmd)
	var headless, traced, ended int
	if _, err := fmt.Fscan(out, &headless, &traced, &ended); err != nil {
		t.Fatal(err)
	}
	for !proc.Exiting(headless) {
		time.Sleep(time.Millisecond)
	}
	kin := kinOf(cmd.Process.Pid, 0)
	for pid, want := range map[int]bool{headless: false, traced: false, ended: true} {
		if k, ok := kin[pid]; !ok || k.ended() != want {
			t.Errorf("%d of %d, %d, %d: %+v", pid, headless, traced, ended, k)
		}
	}
	_ = in.Close()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
