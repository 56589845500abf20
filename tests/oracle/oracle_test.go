// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cloneat-emu/tests/built"
	"cloneat-emu/tests/manual"
)

// TestSmallGrid: under the emulator nothing differs but what the manual page lists.
func TestSmallGrid(t *testing.T) {
	root := built.Root(t)
	build := exec.Command(filepath.Join(root, ".ci/oracle-build"))
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cells, err := Emulated(built.Emulator(t), filepath.Join(root, "build/oracle"))(Grid(false))
	if err != nil {
		t.Error(err)
	}
	shown := map[string]bool{}
	for _, c := range cells {
		v := Judge(c, true)
		if !v.OK() {
			t.Errorf("caller %s, target %s (%d keys):\n%s", c.Caller, c.Target, c.Keys, wrong(v))
		}
		for _, name := range v.Documented {
			shown[name] = true
		}
	}
	for _, r := range rules {
		if r.name != "" && !shown[r.name] {
			t.Errorf("the rules excuse %s, and nothing of it shows", r.name)
		}
	}
}

// TestRulesAreOnThePage: what a rule excuses, the manual page lists.
func TestRulesAreOnThePage(t *testing.T) {
	p, err := manual.ReadPromises(filepath.Join(built.Root(t), "tests/documented.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		if _, ok := p.Differences[r.name]; r.name != "" && !ok {
			t.Errorf("%q is no difference of the manual page", r.name)
		}
	}
}

const sample = `caller static
cell forked
diff	stat.9	64	320
diff	cred.uid	0 0 0 fs 0	1 1 1 fs 1
keys 776 lost 0
rich 136, but pkey=22,
end
cell user_member
errno 95
rich 136, but
end
cell init
failed status 0x7
done
`

// TestJudge: a documented difference is one for the emulator alone, in the bits that
// it is about; anything else is wrong.
func TestJudge(t *testing.T) {
	cells, err := Parse(sample)
	if err != nil || len(cells) != 3 {
		t.Fatalf("%d cells, %v", len(cells), err)
	}
	emulated, native := Judge(cells[0], true), Judge(cells[0], false)
	if !slices.Equal(emulated.Documented, []string{"accounting"}) || len(emulated.Wrong) != 1 || emulated.Wrong[0].Key != "cred.uid" {
		t.Errorf("under the emulator: %+v", emulated)
	}
	if len(native.Documented) != 0 || len(native.Wrong) != 2 {
		t.Errorf("on a kernel: %+v", native)
	}
	cells[0].Differences = []Difference{{"stat.9", "64", "65"}}
	if v := Judge(cells[0], true); v.OK() {
		t.Error("another bit of stat.9 was excused")
	}
	cells[0].Differences, cells[0].Lacking = nil, strings.Repeat(" x=1,", mostLacking+1)
	if Judge(cells[0], true).OK() {
		t.Error("a caller that had nothing was taken for one")
	}
	if !Judge(cells[1], true).OK() || Judge(cells[1], false).OK() || Judge(cells[2], true).OK() {
		t.Error("an error of the call, or none, was judged wrongly")
	}
}

// TestCompleteness: a caller that ends before its last target is no agreement, nor is one that
// never began.
func TestCompleteness(t *testing.T) {
	all := func(targets []string) []string { return targets }
	caller := Caller{Name: "c", Targets: []string{"self", "init"}}
	const self, init = "cell self\nkeys 776 lost 0\nend\n", "cell init\nkeys 776 lost 0\nend\n"
	for text, want := range map[string]bool{
		"caller c\n" + self + init + "done\n":        true,
		"caller c\n" + self + "done\n":               false,
		"caller c\n" + self + self + "done\n":        false,
		"caller c\n" + self + init:                   false,
		"done\n":                                     false,
		"caller d\n" + self + init + "done\n":        false,
		"caller c\n" + self + init + init + "done\n": false,
	} {
		if _, err := answers(text, []Caller{caller}, all); (err == nil) != want {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestParseEndsEarly: an output that breaks off is no agreement.
func TestParseEndsEarly(t *testing.T) {
	cells, err := Parse("caller c\ncell self\nkeys 776 lost 0\n")
	if err == nil || Judge(cells[0], true).OK() {
		t.Errorf("%v, %+v", err, cells[0])
	}
}
