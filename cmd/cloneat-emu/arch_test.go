// SPDX-License-Identifier: Apache-2.0

package main

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"cloneat-emu/tests/built"
)

// TestArm64: everything compiles for arm64, where the command says that it cannot
// emulate (ptrace.ErrArch).
func TestArm64(t *testing.T) {
	dir := t.TempDir()
	for _, args := range [][]string{
		{"build", "-buildvcs=false", "./..."},
		{"build", "-buildvcs=false", "-o", dir, "./cmd/cloneat-emu"},
	} {
		cmd := exec.Command("go", args...)
		cmd.Dir = built.Root(t)
		cmd.Env = append(os.Environ(), "GOARCH=arm64", "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
		}
	}
	f, err := elf.Open(filepath.Join(dir, "cloneat-emu"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Machine != elf.EM_AARCH64 {
		t.Errorf("built for %v", f.Machine)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			t.Error("the command is not static")
		}
	}
}
