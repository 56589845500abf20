// SPDX-License-Identifier: Apache-2.0

package stage

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestCodeIsItsSource(t *testing.T) {
	obj, bin := filepath.Join(t.TempDir(), "o"), filepath.Join(t.TempDir(), "bin")
	for _, c := range []*exec.Cmd{
		exec.Command("as", "-o", obj, "asm/stage_amd64.S"),
		exec.Command("objcopy", "-O", "binary", "-j", ".text", obj, bin),
	} {
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", c, err, out)
		}
	}
	if b, err := os.ReadFile(bin); err != nil || !bytes.Equal(b, code) {
		t.Errorf("stage_amd64.bin is not what its source assembles to; go generate (%v)", err)
	}
}
