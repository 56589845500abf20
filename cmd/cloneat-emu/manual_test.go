// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"cloneat-emu/emu/probe"
	"cloneat-emu/tests/conform"
)

// commands are the commands of the command line that do something, by their paths.
func commands(t *testing.T) map[string]*kong.Node {
	t.Helper()
	found := map[string]*kong.Node{}
	var walk func(n *kong.Node, path []string)
	walk = func(n *kong.Node, path []string) {
		for _, child := range n.Children {
			if child.Type != kong.CommandNode || child.Hidden {
				continue
			}
			at := append(slices.Clone(path), child.Name)
			if len(child.Children) == 0 {
				found[strings.Join(at, " ")] = child
			}
			walk(child, at)
		}
	}
	walk(kong.Must(&cli{}, kong.Name("cloneat-emu")).Model.Node, nil)
	if len(found) < 10 {
		t.Fatalf("only %d commands", len(found))
	}
	return found
}

// longFlags are the flags of a command without --help, which all have.
func longFlags(n *kong.Node) (names []string) {
	for _, f := range n.Flags {
		if !f.Hidden && f.Name != "help" {
			names = append(names, f.Name)
		}
	}
	return names
}

// pageOf is the manual page that tells about a command.
func pageOf(path string) string {
	first, _, _ := strings.Cut(path, " ")
	if name := "cloneat-emu-" + first + ".1"; exists(name) {
		return name
	}
	return "cloneat-emu.1"
}

func exists(page string) bool {
	_, err := os.Stat(filepath.Join("../../docs/man", page))
	return err == nil
}

// TestManualHasEveryFlag holds the pages against the command line, both ways.
func TestManualHasEveryFlag(t *testing.T) {
	want := map[string][]string{}
	for path, n := range commands(t) {
		want[pageOf(path)] = append(want[pageOf(path)], longFlags(n)...)
	}
	pages, err := filepath.Glob("../../docs/man/*.1")
	if err != nil || len(pages) == 0 {
		t.Fatalf("%v, %v", pages, err)
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		var has []string
		for _, line := range regexp.MustCompile(`(?m)^\..*\bFl .*$`).FindAllString(string(text), -1) {
			for _, f := range regexp.MustCompile(` -([a-z][a-z-]+)`).FindAllStringSubmatch(line, -1) {
				has = append(has, f[1])
			}
		}
		has = slices.DeleteFunc(set(has), func(f string) bool { return f == "help" })
		if diff := cmp.Diff(set(want[filepath.Base(page)]), has); diff != "" {
			t.Errorf("%s: flags of the command line (-), of the page (+):\n%s", page, diff)
		}
	}
}

// TestManualHasEveryKey: what --json prints is there for programs, which rely on its keys.
func TestManualHasEveryKey(t *testing.T) {
	page, err := os.ReadFile("../../docs/man/cloneat-emu.1")
	if err != nil {
		t.Fatal(err)
	}
	has := regexp.MustCompile(`[\w/-]+`).FindAllString(strings.Join(regexp.MustCompile(`(?m)^\.Cm .*$`).FindAllString(string(page), -1), " "), -1)
	for _, of := range []any{probe.Result{}, conform.Result{}} {
		kind := reflect.TypeOf(of)
		for i := range kind.NumField() {
			key, _, _ := strings.Cut(kind.Field(i).Tag.Get("json"), ",")
			if key == "" || !slices.Contains(has, key) {
				t.Errorf("%s.%s: the page has no key %q", kind, kind.Field(i).Name, key)
			}
		}
	}
}

// set sorts a list and makes its members unique.
func set(list []string) []string {
	list = slices.Clone(list)
	sort.Strings(list)
	return slices.Compact(list)
}

// TestEveryHelpHasExamples: and a flag in an example is one that there is.
func TestEveryHelpHasExamples(t *testing.T) {
	all := commands(t)
	for path, n := range all {
		_, examples, ok := strings.Cut(n.Detail, "Examples:\n")
		if !ok || !strings.Contains(examples, "cloneat-emu "+path) {
			t.Errorf("%s --help has no example of it", path)
		}
		for line := range strings.Lines(examples) {
			call, _, _ := strings.Cut(line, " -- ")
			_, call, _ = strings.Cut(call, "cloneat-emu "+path+" ")
			for _, f := range regexp.MustCompile(`(?:^| )--([a-z-]+)`).FindAllStringSubmatch(call, -1) {
				if !slices.Contains(longFlags(n), f[1]) {
					t.Errorf("%s has no flag --%s: %s", path, f[1], line)
				}
			}
		}
	}
}

// TestCompletionKnowsEverything asks bash itself, for every command and flag.
func TestCompletionKnowsEverything(t *testing.T) {
	var script bytes.Buffer
	if err := writeCompletion(&script, kong.Must(&cli{}, kong.Name("cloneat-emu")).Model.Node); err != nil {
		t.Fatal(err)
	}
	script.WriteString(`complete_words() {
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
	_cloneat_emu
	echo "${COMPREPLY[*]}"
}
`)
	paths := []string{}
	for path, n := range commands(t) {
		for _, f := range longFlags(n) {
			paths = append(paths, path+" --"+f)
		}
		paths = append(paths, path)
	}
	sort.Strings(paths)
	for _, p := range paths {
		script.WriteString("complete_words cloneat-emu " + p + "\n")
	}
	cmd := exec.Command("bash")
	cmd.Stdin = &script
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	answers := strings.Split(string(out), "\n")
	for i, p := range paths {
		words := strings.Fields(p)
		last := words[len(words)-1]
		found := slices.ContainsFunc(strings.Fields(answers[i]), func(w string) bool {
			name, _, _ := strings.Cut(w, "=")
			return name == last
		})
		if !found {
			t.Errorf("%s: completed to %q", p, answers[i])
		}
	}
}
