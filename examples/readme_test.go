// SPDX-License-Identifier: Apache-2.0

package examples

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cloneat-emu/tests/built"
)

var update = flag.Bool("update", false, "write what the commands print into README.md")

// TestReadme runs each command of README's console blocks, a line that starts
// with "$ ", at the top of the checkout, and compares what it prints with the
// lines below it. So nobody reads an output that this checkout does not print.
func TestReadme(t *testing.T) {
	path := filepath.Join(built.Root(t), "README.md")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	shell := newShell(t)
	var out strings.Builder
	in, commands := false, 0
	for _, part := range cut(string(text)) {
		switch {
		case strings.HasPrefix(part, "```"):
			in = !in && strings.HasPrefix(part, "```console")
			out.WriteString(part)
		case in && strings.HasPrefix(part, "$ "):
			commands++
			out.WriteString(checked(t, shell, part))
		default:
			out.WriteString(part)
		}
	}
	if commands == 0 {
		t.Error("README shows no command")
	}
	if *update {
		if err := os.WriteFile(path, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestReadmeSetsThePath: the page says how the name of the command comes to be known, before
// it is used.
func TestReadmeSetsThePath(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(built.Root(t), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	before, _, used := strings.Cut(string(text), "\n$ cloneat-emu ")
	if used && !strings.Contains(before, "export PATH=$PWD/build:$PATH\n") {
		t.Error("whoever types what README shows is told that there is no cloneat-emu")
	}
}

// cut splits a text into fences, commands with their output, and the rest.
func cut(text string) []string {
	var parts []string
	fenced := false
	for line := range strings.Lines(text) {
		fence := strings.HasPrefix(line, "```")
		if len(parts) == 0 || fence || !fenced || strings.HasPrefix(line, "$ ") {
			parts = append(parts, line)
		} else {
			parts[len(parts)-1] += line
		}
		if fence {
			fenced = strings.HasPrefix(line, "```console")
			parts[len(parts)-1] = line
		}
	}
	return parts
}

// checked runs one command and returns it with what it printed.
func checked(t *testing.T, shell func(string) string, part string) string {
	t.Helper()
	first, want, _ := strings.Cut(part, "\n")
	got := shell(strings.TrimPrefix(first, "$ "))
	if mask(got) != mask(want) && !*update {
		t.Errorf("README shows for %q:\n%s\nbut it prints:\n%s", first, want, got)
	}
	if mask(got) == mask(want) {
		return part
	}
	return first + "\n" + got
}

// newShell returns a function that runs a command line as a reader would, with
// the command in PATH.
func newShell(t *testing.T) func(string) string {
	t.Helper()
	bin := t.TempDir()
	if err := os.Symlink(built.Emulator(t), filepath.Join(bin, "cloneat-emu")); err != nil {
		t.Fatal(err)
	}
	return func(line string) string {
		t.Helper()
		cmd := alone("sh", "-c", line)
		cmd.Dir = built.Root(t)
		cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", line, err, out)
		}
		return string(out)
	}
}
