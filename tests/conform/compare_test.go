// SPDX-License-Identifier: Apache-2.0

package conform

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// example is a comparison with every outcome in it.
func example() *Comparison {
	results := func(statuses ...Status) (list []Result) {
		for i, s := range statuses {
			name := []string{"p.same", "p.differs", "p.announced", "q.bad", "q.skipped"}[i]
			list = append(list, Result{Name: name, Verdict: "<" + name + ">", Status: s, Text: "text & " + name, Transcript: "said by " + name})
		}
		return list
	}
	return Compare([]Column{
		{Name: "emulator", Emulator: true, Results: results(Pass, Fail, Documented, Fail, Skip)},
		{Name: "kernel", Results: results(Pass, Pass, Pass, Fail, Pass)},
		{Name: "emulator on UML", Emulator: true, Why: "no registers there"},
	}, map[string]string{"p.announced": "session"})
}

// TestCompare: each outcome.
func TestCompare(t *testing.T) {
	c := example()
	want := map[string]Outcome{
		"p.same": Agree, "p.differs": Differ, "p.announced": Announced, "q.bad": FailsEverywhere, "q.skipped": Agree,
	}
	for _, r := range c.Rows {
		if r.Outcome != want[r.Name] {
			t.Errorf("%s: %s, want %s", r.Name, r.Outcome, want[r.Name])
		}
		if len(r.Cells) != 3 || r.Cells[2] != nil {
			t.Errorf("%s: cells %v", r.Name, r.Cells)
		}
	}
	if c.OK() || len(c.Rows) != len(want) {
		t.Errorf("OK %v, %d rows", c.OK(), len(c.Rows))
	}
}

// TestOK: what differs and what fails everywhere are each enough, what is announced is not.
func TestOK(t *testing.T) {
	for outcome, want := range map[Outcome]bool{Agree: true, Announced: true, Differ: false, FailsEverywhere: false} {
		if c := (&Comparison{Rows: []Row{{Outcome: Agree}, {Outcome: outcome}}}); c.OK() != want {
			t.Errorf("%s: OK %v", outcome, c.OK())
		}
	}
}

// TestAnnouncedOnlyForEmulators: a documented difference excuses no kernel.
func TestAnnouncedOnlyForEmulators(t *testing.T) {
	c := Compare([]Column{
		{Name: "emulator", Emulator: true, Results: []Result{{Name: "x", Status: Pass}}},
		{Name: "kernel", Results: []Result{{Name: "x", Status: Fail}}},
	}, map[string]string{"x": "session"})
	if c.Rows[0].Outcome != Differ {
		t.Errorf("%s", c.Rows[0].Outcome)
	}
}

// TestLost: a check that a column has no word of differs, and one that all skip is named.
func TestLost(t *testing.T) {
	c := Compare([]Column{
		{Name: "emulator", Emulator: true, Results: []Result{{Name: "x", Status: Pass}, {Name: "y", Status: Skip}}},
		{Name: "kernel", Results: []Result{{Name: "y", Status: Skip}}},
		{Name: "emulator on UML", Emulator: true, Why: "no registers there"},
	}, map[string]string{"x": "session"})
	if c.Rows[0].Outcome != Differ || c.Rows[1].Outcome != Agree || c.OK() {
		t.Errorf("%s, %s", c.Rows[0].Outcome, c.Rows[1].Outcome)
	}
	if got := c.Nowhere(); !slices.Equal(got, []string{"y"}) {
		t.Errorf("nobody ran %v, want y", got)
	}
}

// TestAlone: who is to run alone is there.
func TestAlone(t *testing.T) {
	for _, name := range alone {
		if _, err := os.Stat(filepath.Join("../../kernel/selftests/cloneat", name+".c")); err != nil {
			t.Error(err)
		}
	}
}

// TestExcuse: a failure that the machine is the cause of does not count, and is told
// with its reason; a check that passes all the same has passed.
func TestExcuse(t *testing.T) {
	results := []Result{{Name: "x", Status: Fail, Text: "got 1"}, {Name: "y", Status: Pass}, {Name: "z", Status: Fail}, {Name: "v", Status: Fail, NotRun: true}}
	unexpected := Excuse(results, map[string]string{"x": "no such entry", "y": "no such entry", "v": "no such entry"})
	if len(unexpected) != 1 || unexpected[0] != "y" {
		t.Errorf("passed all the same: %v, want y", unexpected)
	}
	if got := Summarize(results); got != (Summary{Passed: 1, Failed: 2, NA: 1}) {
		t.Errorf("%+v", got)
	}
	c := Compare([]Column{
		{Name: "emulator", Emulator: true, Results: []Result{{Name: "x", Status: Pass}}},
		{Name: "kernel uml", Results: results[:1]},
	}, nil)
	if c.Rows[0].Outcome != Agree || cellText(c.Rows[0].Cells[1]) != "n/a: no such entry" {
		t.Errorf("%s, %q", c.Rows[0].Outcome, cellText(c.Rows[0].Cells[1]))
	}
}

// TestReports: each form holds what a reader needs, and the page nothing from outside.
func TestReports(t *testing.T) {
	c := example()
	c.Rows[1].Source, c.Rows[1].Place = "CHECK(differs, \"it\")", "p.c:12"
	dir := t.TempDir()
	for _, name := range []string{"r.html", "r.md", "r.json"} {
		path := filepath.Join(dir, name)
		if err := c.WriteReport(path); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"p.differs", "p.announced", "session", "emulator on UML", "no registers there"} {
			if !bytes.Contains(data, []byte(want)) {
				t.Errorf("%s: no %q", name, want)
			}
		}
		if name != "r.html" {
			continue
		}
		for _, want := range []string{"said by p.differs", "p.c:12", "CHECK(differs", "&lt;p.same&gt;", "text &amp; p.differs"} {
			if !bytes.Contains(data, []byte(want)) {
				t.Errorf("%s: no %q", name, want)
			}
		}
		wrong, rest, _ := bytes.Cut(data, []byte("<h2>Documented differences</h2>"))
		told, _, _ := bytes.Cut(rest, []byte("<h2>All checks</h2>"))
		if !bytes.Contains(wrong, []byte(`id="p-differs"`)) || !bytes.Contains(wrong, []byte(`id="q-bad"`)) {
			t.Errorf("%s: what differs is not first", name)
		}
		if !bytes.Contains(told, []byte(`id="p-announced"`)) || bytes.Contains(told, []byte(`id="p-differs"`)) {
			t.Errorf("%s: the documented differences are not apart", name)
		}
		if strings.Contains(string(data), "http") || strings.Contains(string(data), "src=") {
			t.Errorf("%s needs something from outside", name)
		}
	}
	if err := c.WriteReport(filepath.Join(dir, "r.doc")); err == nil || !strings.Contains(err.Error(), ".html") {
		t.Errorf("unknown form: %v", err)
	}
}

// TestSource finds a check with the comment on top of it.
func TestSource(t *testing.T) {
	dir := t.TempDir()
	text := "/* head */\n\nCHECK(one, \"1\")\n{\n\ta();\n}\n\n/*\n * tree\n */\nCHECK(two, \"2\")\n{\n\tb();\n}\n\nCHECK(three, \"3\")\n{\n}\n"
	if err := os.WriteFile(filepath.Join(dir, "p.c"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	got, place := Source(dir, "p.two")
	if want := "/*\n * tree\n */\nCHECK(two, \"2\")\n{\n\tb();\n}"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if want := filepath.Join(dir, "p.c") + ":11"; place != want {
		t.Errorf("%s, want %s", place, want)
	}
	if got, _ := Source(dir, "p.four"); got != "" {
		t.Errorf("%q", got)
	}
}

// TestSourceOfPlays: a check of actors, and rows of tables whose names macros make.
func TestSourceOfPlays(t *testing.T) {
	dir := t.TempDir()
	text := "PLAY(one, \"1\")\n{\n}\n\n/* moves */\nstatic void two(struct actor *t)\n{\n\ttwo_more(t);\n}\n\n" +
		"static const struct row rows[] = {\n\tALL(two, \"2\"),\n\t{ \"r01_x\",\n\t  1 },\n};\n"
	if err := os.WriteFile(filepath.Join(dir, "p.c"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for check, want := range map[string]string{
		"p.one":         "PLAY(one, \"1\")\n{\n}",
		"p.two_forked":  "\tALL(two, \"2\"),\n\n/* moves */\nstatic void two(struct actor *t)\n{\n\ttwo_more(t);\n}",
		"p.r01_x_r02_y": "\t{ \"r01_x\",\n\t  1 },",
		"p.three":       "",
	} {
		if got, _ := Source(dir, check); got != want {
			t.Errorf("%s: %q, want %q", check, got, want)
		}
	}
}
