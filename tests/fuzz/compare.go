// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Difference is where two outcomes part.
type Difference struct {
	Step        int
	Native, Emu Step
	World       map[string]View // the actors before that step
	Told        map[string]View // likewise, with what stopped ones told before
	Documented  string          // the manual page's name for it, or ""
}

// Compare returns the first difference, or nil. A program that did not come to
// its end counts as one even if neither did: that is the interpreter's bug, and
// what would have come after it is not compared.
func Compare(native, emu Outcome) *Difference {
	world, told := make(map[string]View), make(map[string]View)
	for i := range max(len(native), len(emu)) {
		a, b := at(native, i), at(emu, i)
		if !a.equal(b) || a.broken() || b.broken() {
			d := &Difference{Step: i, Native: a, Emu: b, World: world, Told: told}
			d.Documented = d.rule()
			return d
		}
		maps.Copy(world, a.Seen)
		for name, seen := range a.Seen {
			told[name] = seen.since(told[name])
		}
	}
	return nil
}

// since adds to the view of a stopped actor, who cannot be asked, what it told before.
func (v View) since(before View) View {
	if !v.has("stopped") {
		return v
	}
	for _, word := range strings.Fields(string(before)) {
		if key, _, is := strings.Cut(word, "="); is && v.Get(key) == "" {
			v += View(" " + word)
		}
	}
	return v
}

// at returns step i, or one that says that there is none.
func at(o Outcome, i int) Step {
	if i < len(o) {
		return o[i]
	}
	return Step{Head: "(nothing more)"}
}

func (s Step) equal(t Step) bool {
	return s.Head == t.Head && s.Result == t.Result && maps.Equal(s.Seen, t.Seen) && slices.Equal(s.Other, t.Other)
}

// broken reports that the interpreter gave up.
func (s Step) broken() bool {
	return slices.ContainsFunc(s.Other, func(line string) bool {
		return line == "hangs" || strings.HasPrefix(line, "controller")
	})
}

// String shows the step with what differs of each actor.
func (d *Difference) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n    kernel:   %s %s\n    emulator: %s %s\n", d.Native.Head, d.Native.Result, strings.Join(d.Native.Other, "; "), d.Emu.Result, strings.Join(d.Emu.Other, "; "))
	if d.Native.Head != d.Emu.Head {
		fmt.Fprintf(&b, "    the emulator's line: %s\n", d.Emu.Head)
	}
	for _, name := range names(d.Native.Seen, d.Emu.Seen) {
		k, e := d.after(name)
		only(&b, name, "kernel", k, e)
		only(&b, name, "emulator", e, k)
	}
	return b.String()
}

// after returns both views of an actor after the step.
func (d *Difference) after(name string) (native, emu View) {
	native, emu = d.World[name], d.World[name]
	if v, ok := d.Native.Seen[name]; ok {
		native = v
	}
	if v, ok := d.Emu.Seen[name]; ok {
		emu = v
	}
	return native, emu
}

func names(a, b map[string]View) []string {
	all := maps.Clone(a)
	if all == nil {
		all = make(map[string]View)
	}
	maps.Copy(all, b)
	return slices.Sorted(maps.Keys(all))
}

// missing returns the words of v that w does not have.
func missing(v, w View) []string {
	other := strings.Fields(string(w))
	return slices.DeleteFunc(strings.Fields(string(v)), func(word string) bool {
		return slices.Contains(other, word)
	})
}

func only(b *strings.Builder, name, side string, v, w View) {
	if words := missing(v, w); len(words) > 0 {
		fmt.Fprintf(b, "    %s, %s only: %s\n", name, side, strings.Join(words, " "))
	}
}
