// SPDX-License-Identifier: Apache-2.0

package emu_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"cloneat-emu/emu"
	"cloneat-emu/tests/built"
)

// steps are all that the sources name.
func steps(t *testing.T) (names []string) {
	t.Helper()
	for _, source := range []string{"*.go", "transplant/stages.go"} {
		files, err := filepath.Glob(source)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range regexp.MustCompile(`\.step\("([^"]+)"\)`).FindAllSubmatch(text, -1) {
				names = append(names, string(m[1]))
			}
			for _, m := range regexp.MustCompile(`\n\t+\{"([a-z' ]+)", b\.`).FindAllSubmatch(text, -1) {
				names = append(names, "transplant: "+string(m[1]))
			}
		}
	}
	return names
}

// TestOperatorDiesAtEveryStep: whatever was half done, callers, targets and children
// are as they were (the storm looks at itself), and nothing is left.
func TestOperatorDiesAtEveryStep(t *testing.T) {
	storm := built.C(t, "tests/stress/testdata/storm.c")
	for _, step := range steps(t) {
		t.Run(step, func(t *testing.T) {
			cmd := emu.Command(storm, "1", "0")
			cmd.DieAt(step)
			if out, err := stormOutput(t, cmd); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// stormOutput runs the storm, which ends when the operator has died.
func stormOutput(t *testing.T, cmd *emu.Cmd) (string, error) {
	t.Helper()
	return built.Output(t, func(out *os.File) error {
		cmd.Stdout, cmd.Stderr = out, out
		return cmd.Run()
	})
}
