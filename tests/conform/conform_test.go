// SPDX-License-Identifier: Apache-2.0

package conform

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// fake writes a conformance program as a shell script: body sees the names of the
// checks to run in $@, and "say N" runs what the real harness prints.
func fake(t *testing.T, checks, body string) Program {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "fake", checks, body)
	programs, err := Find(dir, nil)
	if err != nil || len(programs) != 1 {
		t.Fatalf("%v, %v", programs, err)
	}
	return programs[0]
}

// write is fake for one of several programs in dir.
func write(t *testing.T, dir, name, checks, body string) {
	t.Helper()
	script := "#!/bin/sh\nif [ \"$1\" = --describe ]; then printf '" + checks + "'; exit; fi\n" + body
	if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
}

// run has a clock that goes off for each message of late; nil: never.
func run(p Program, late <-chan time.Time) []Result {
	if late == nil {
		late = make(chan time.Time)
	}
	r := Runner{Jobs: 2, CaseTimeout: time.Minute, late: late}
	return r.Run(context.Background(), []Program{p})
}

var ignoreTime = cmpopts.IgnoreFields(Result{}, "Duration")

// TestRunVerdicts: each kind of line becomes its result, with what was printed before.
func TestRunVerdicts(t *testing.T) {
	p := fake(t, `fake.a\tit a\nfake.b\tit b\nfake.c\tit c\n`, `
echo TAP version 13
echo 1..3
echo "ok 1 - fake.a"
echo "some noise" >&2
echo "not ok 2 - fake.b # line 7: wrong"
echo "ok 3 - fake.c # SKIP not here"
exit 1
`)
	want := []Result{
		{Name: "fake.a", Verdict: "it a", Status: Pass, Transcript: "TAP version 13\n1..3\nok 1 - fake.a\n"},
		{Name: "fake.b", Verdict: "it b", Status: Fail, Text: "line 7: wrong", Transcript: "some noise\nnot ok 2 - fake.b # line 7: wrong\n"},
		{Name: "fake.c", Verdict: "it c", Status: Skip, Text: "not here", Transcript: "ok 3 - fake.c # SKIP not here\n"},
	}
	if diff := cmp.Diff(want, run(p, nil), ignoreTime); diff != "" {
		t.Error(diff)
	}
}

// TestRunIsEnded: what a suite that is ended did not come to has failed, and says that it was
// not run.
func TestRunIsEnded(t *testing.T) {
	p := fake(t, `fake.a\ta\nfake.b\tb\nfake.c\tc\n`, `
echo "ok 1 - fake.a"
echo "last words"
sleep 1000
`)
	ctx, end := context.WithCancelCause(context.Background())
	r := Runner{Jobs: 1, CaseTimeout: time.Minute, late: make(chan time.Time)}
	r.Each = func(Result) { end(errors.New("enough")) }
	want := []Result{
		{Name: "fake.a", Verdict: "a", Status: Pass},
		{Name: "fake.b", Verdict: "b", Status: Fail, Text: "the suite was ended: enough"},
		{Name: "fake.c", Verdict: "c", Status: Fail, Text: "the suite was ended: enough", NotRun: true},
	}
	ignored := cmpopts.IgnoreFields(Result{}, "Duration", "Transcript") // how much of it was read
	if diff := cmp.Diff(want, r.Run(ctx, []Program{p}), ignored); diff != "" {
		t.Error(diff)
	}
}

// TestRunAlone: who changes the machine's settings runs when the others, which run beside each
// other, have ended.
func TestRunAlone(t *testing.T) {
	dir := t.TempDir()
	for name, body := range map[string]string{
		"a":       ": >a.came; until [ -e z.came ]; do :; done; : >a.gone",
		"unasked": "[ -e a.gone ] && [ -e z.gone ] || exit",
		"z":       ": >z.came; until [ -e a.came ]; do :; done; : >z.gone",
	} {
		write(t, dir, name, name+`.c\tc\n`, "cd "+dir+"\n"+body+"\necho 'ok 1 - "+name+".c'\n")
	}
	programs, err := Find(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := Runner{Jobs: 3, CaseTimeout: time.Minute, late: make(chan time.Time)}
	for _, res := range r.Run(context.Background(), programs) {
		if res.Status != Pass {
			t.Errorf("%+v", res)
		}
	}
}

// TestRunGoesOn: a check that kills the program, and one that hangs, have failed; the
// others are run all the same.
func TestRunGoesOn(t *testing.T) {
	hangs := filepath.Join(t.TempDir(), "hangs")
	p := fake(t, `fake.dies\td\nfake.hangs\th\nfake.fine\tf\n`, "hangs="+hangs+`
for c; do
	case $c in
	dies) echo "last words"; kill -SEGV $$ ;;
	hangs) : >"$hangs"; sleep 1000 & wait ;;
	*) echo "ok 1 - fake.$c" ;;
	esac
done
`)
	late := make(chan time.Time)
	go func() {
		for _, err := os.Stat(hangs); err != nil; _, err = os.Stat(hangs) {
			time.Sleep(time.Millisecond)
		}
		late <- time.Now()
	}()
	got := run(p, late)
	if len(got) != 3 || got[0].Status != Fail || got[1].Status != Fail || got[2].Status != Pass {
		t.Fatalf("%+v", got)
	}
	if !strings.Contains(got[0].Text, "segmentation fault") || got[0].Transcript != "last words\n" {
		t.Errorf("dies: %+v", got[0])
	}
	if !strings.Contains(got[1].Text, "no verdict within 1m0s") {
		t.Errorf("hangs: %+v", got[1])
	}
}

// TestRunMissesNothing: checks without a verdict of their own have failed, and so has the last
// one of a program whose end is not what its verdicts say.
func TestRunMissesNothing(t *testing.T) {
	const a, b = `echo "ok 1 - fake.a"`, `echo "ok 2 - fake.b"`
	for _, c := range []struct {
		name, body, wantA, wantB string
	}{
		{"fewer", a, "", "the program ended without a verdict (exit status 0)"},
		{"twice", a + "\n" + a, "", "the verdict of fake.a came, not that of fake.b"},
		{"another order", b + "\n" + a, "the verdict of fake.b came, not that of fake.a", ""},
		{"status", a + "\n" + b + "\nexit 3", "", "every check passed, but the program ended with exit status 3"},
		{"killed", a + "\n" + b + "\nkill -SEGV $$", "", "every check passed, but the program ended with signal: segmentation fault"},
		{"no status", a + "\n" + `echo "not ok 2 - fake.b # line 7"`, "", "line 7; a check failed, but the program ended with exit status 0"},
		{"all well", a + "\n" + b + "\nyes | head -n 100000", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			// What is left when it is run again does as it should.
			got := run(fake(t, `fake.a\ta\nfake.b\tb\n`, `[ "$1" = a ] || { echo "ok 1 - fake.b"; exit; }`+"\n"+c.body), nil)
			if len(got) != 2 {
				t.Fatalf("%+v", got)
			}
			for i, want := range []string{c.wantA, c.wantB} {
				if failed := got[i].Status != Pass; got[i].Text != want && !strings.HasPrefix(got[i].Text, want+" (core dumped)") || failed != (want != "") {
					t.Errorf("%s: %s, %q; want %q", got[i].Name, got[i].Status, got[i].Text, want)
				}
			}
		})
	}
}

// TestDescribe: a program that checks nothing, or has two checks of a name, would be missed.
func TestDescribe(t *testing.T) {
	for checks, want := range map[string]string{
		``:                           "checks nothing",
		`fake.a\n`:                   "no verdict",
		`fake.a\ta\nfake.a\tagain\n`: "two checks are named fake.a",
	} {
		dir := t.TempDir()
		write(t, dir, "fake", checks, "")
		write(t, dir, "other", `other.a\ta\n`, "")
		for _, filter := range []*regexp.Regexp{nil, regexp.MustCompile("other")} {
			if p, err := Find(dir, filter); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %v, %v; want %q", checks, p, err, want)
			}
		}
	}
}

// TestFind: names are chosen by the expression; nothing chosen is an error.
func TestFind(t *testing.T) {
	p := fake(t, `fake.one\t1\nfake.two\t2\n`, "")
	dir := filepath.Dir(p.Path)
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o755); err != nil { // no program, x or not
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "object.o"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	programs, err := Find(dir, regexp.MustCompile("two$"))
	if err != nil || len(programs) != 1 || len(programs[0].Checks) != 1 || programs[0].Checks[0].Name != "fake.two" {
		t.Errorf("%v, %v", programs, err)
	}
	if _, err := Find(dir, regexp.MustCompile("three")); err == nil {
		t.Error("a filter that chooses nothing is no error")
	}
}

// TestDocument: announced failures are no failures, and announced passes are told.
func TestDocument(t *testing.T) {
	results := []Result{{Name: "a", Status: Fail}, {Name: "b", Status: Pass}, {Name: "c", Status: Fail}, {Name: "d", Status: Fail, NotRun: true}}
	unexpected := Document(results, map[string]string{"a": "why-a", "b": "why-b", "d": "why-d"})
	if diff := cmp.Diff([]string{"b"}, unexpected); diff != "" {
		t.Error(diff)
	}
	if got, want := Summarize(results).String(), "1 passed, 2 failed, 1 documented, 0 skipped"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
