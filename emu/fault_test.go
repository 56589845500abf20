// SPDX-License-Identifier: Apache-2.0

package emu_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"cloneat-emu/emu"
	"cloneat-emu/tests/built"
)

// steps are all that the sources name.
func steps(t *testing.T) []string {
	t.Helper()
	named := namedIn(t, "*.go", `\.step\("([^"]+)"\)`)
	for _, stage := range namedIn(t, "transplant/stages.go", `\{name: "([^"]+)", do: b\.`) {
		named = append(named, "transplant: "+stage)
	}
	return named
}

// namedIn finds names in sources, each once.
func namedIn(t *testing.T, sources, pattern string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(sources)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(pattern).FindAllSubmatch(text, -1) {
			if name := string(m[1]); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	if len(names) == 0 {
		t.Fatalf("%s: no step is named", sources)
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
