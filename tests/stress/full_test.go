// SPDX-License-Identifier: Apache-2.0

package stress

import (
	"os"
	"os/exec"
	"testing"

	"cloneat-emu/tests/built"
)

// TestAsManyProcessesAsThereMayBe: a program that has used up its user's processes (as well
// as a container's, which are counted alike) is told so by its calls. The supervisor, which
// is of that user and can have no thread any more either, goes on.
func TestAsManyProcessesAsThereMayBe(t *testing.T) {
	programs := built.ForAll(t, built.Emulator(t), built.C(t, "tests/stress/testdata/full.c"))
	const nobodyElse = "64123"
	out, err := built.Output(t, func(out *os.File) error {
		cmd := exec.Command("prlimit", "--nproc=120:120", "setpriv", "--reuid", nobodyElse, "--regid", nobodyElse, "--clear-groups",
			programs[0], "run", "--log-level=warn", "--", programs[1], "8", "40")
		cmd.Dir = "/"
		cmd.Stdout, cmd.Stderr = out, out
		return cmd.Run()
	})
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	nobodyLeft(t)
}
