// SPDX-License-Identifier: Apache-2.0

package listen

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// asNobody lets cmd run as user 65534, who must be able to reach exe.
func asNobody(t *testing.T, cmd *exec.Cmd, exe string) *exec.Cmd {
	t.Helper()
	for dir := filepath.Dir(exe); len(dir) > len(os.TempDir()); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	return cmd
}
