// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"cloneat-emu/tests/built"
)

func corpus(t *testing.T) []Program {
	t.Helper()
	programs, err := Corpus(filepath.Join(built.Root(t), "tests/fuzz/testdata/programs"))
	if err != nil {
		t.Fatal(err)
	}
	return programs
}

// settled is what must be seen of an actor after a step: what the step set off
// has happened, and nothing of it only in part.
var settled = []struct {
	origin string
	step   int
	actor  string
	words  []string
}{
	{"exit-signal-kills-parent.txt", 5, "P2", []string{"zombie", "ppid=P0"}},
	{"exit-signal-kills-parent.txt", 5, "P4", []string{"zombie", "ppid=I"}},
	{"init-waits-for-zombie.txt", 5, "P1", []string{"exiting"}},
	{"init-waits-for-zombie.txt", 5, "P2", []string{"zombie", "ppid=P0"}},
	{"init-waits-for-zombie.txt", 5, "P3", []string{"gone"}},
	{"init-waits-for-zombie.txt", 7, "P1", []string{"zombie"}},
	{"number-of-reaped.txt", 5, "P3", []string{"ppid=P1"}},
	{"number-of-reaped.txt", 10, "P5", []string{"ppid=P0"}},
	{"stop-tells-parent.txt", 6, "P1", []string{"stopped", "shd=10000"}},
}

// TestOnlySettledStatesAreSeen runs the corpus several times side by side, so
// that its programs disturb each other: every copy must look the same.
func TestOnlySettledStatesAreSeen(t *testing.T) {
	const copies = 4
	programs := corpus(t)
	n := len(programs)
	for range copies - 1 {
		programs = append(programs, programs[:n]...)
	}
	emu, interp := built.Emulator(t), interpreter(t)
	trace := filepath.Join(t.TempDir(), "trace")
	sides := Sides{Native: emulated(emu, interp, 1), Emu: traced(emu, trace, interp, 4)}
	alone, crowded, err := sides.Run(programs)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range programs {
		if d := Compare(alone[i], crowded[i]); d != nil {
			t.Errorf("%s is not always the same:\n%s", p.Origin, d)
		}
	}
	if t.Failed() {
		t.Logf("what the crowded calls failed with:\n%s", failures(t, trace))
	}
	for _, want := range settled {
		i := slices.IndexFunc(programs[:n], func(p Program) bool { return p.Origin == want.origin })
		if i < 0 || want.step >= len(alone[i]) {
			t.Errorf("%s has no step %d", want.origin, want.step)
			continue
		}
		view := alone[i][want.step].Seen[want.actor]
		for _, word := range want.words {
			if !view.has(word) {
				t.Errorf("%s, step %d: no %q in %s's %q", want.origin, want.step, word, want.actor, view)
			}
		}
	}
}

// failures are the causes in a trace and how often each occurs.
func failures(t *testing.T, trace string) string {
	t.Helper()
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, m := range regexp.MustCompile(`= -1 (E.*) <\S+ ?(.*)>`).FindAllStringSubmatch(string(text), -1) {
		counts[m[1]+": "+m[2]]++
	}
	var out strings.Builder
	for _, cause := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(&out, "%4d %s\n", counts[cause], cause)
	}
	return out.String()
}

func TestUnreadableProgramsAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"clone P0":        `"clone P0": too few words`,
		"exit 0 1":        `"exit 0 1": 0 is no actor (P0 to P23)`,
		"clone P0 1 0x11": `"clone P0 1 0x11": 1 is no actor (P0 to P23)`,
	} {
		if _, err := parseProgram(text); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	p := Draw(1, 1)
	if q, err := parseProgram(p.String()[len("program 0\n"):]); err != nil || q.String() != p.String() {
		t.Errorf("%v: read back\n%s", err, q)
	}
}
