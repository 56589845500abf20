// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// tally counts what came of the programs.
type tally struct {
	programs, differ int
	documented       map[string]int
}

func newTally() *tally {
	return &tally{documented: make(map[string]int)}
}

// String is the result in one line.
func (t *tally) String() string {
	all := 0
	var kinds []string
	for _, name := range slices.Sorted(maps.Keys(t.documented)) {
		all += t.documented[name]
		kinds = append(kinds, fmt.Sprintf("%s %d", name, t.documented[name]))
	}
	line := fmt.Sprintf("%d programs, %d differ, %d documented", t.programs, t.differ, all)
	if all > 0 {
		line += " (" + strings.Join(kinds, ", ") + ")"
	}
	return line
}

// count compares two outcomes and returns a difference that is not documented.
func (t *tally) count(native, emu Outcome) *Difference {
	d := Compare(native, emu)
	switch {
	case d == nil:
		return nil
	case d.Documented != "":
		t.documented[d.Documented]++
		return nil
	}
	t.differ++
	return d
}
