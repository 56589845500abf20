// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Step is what came of one operation.
type Step struct {
	Head   string          // the operation's line as the interpreter repeats it
	Result string          // what the call returned, in names
	Seen   map[string]View // of the actors that look different than before
	Other  []string        // further lines
}

// View describes one actor in words: "ppid=P1", "zombie", "v~P2".
type View string

// Get returns the value of a word key=value, or "".
func (v View) Get(key string) string {
	for _, word := range strings.Fields(string(v)) {
		if value, ok := strings.CutPrefix(word, key+"="); ok {
			return value
		}
	}
	return ""
}

// has reports that the view has this word.
func (v View) has(word string) bool {
	return slices.Contains(strings.Fields(string(v)), word)
}

// Outcome is what came of a program; step 0 is what there is before the first
// operation.
type Outcome []Step

// Parse reads the interpreter's output: the outcomes of a batch by program.
func Parse(output string) (map[int]Outcome, error) {
	outcomes := make(map[int]Outcome)
	id := -1
	for line := range strings.Lines(output) {
		line = strings.TrimRight(line, "\n")
		if rest, ok := strings.CutPrefix(line, "program "); ok {
			n, err := strconv.Atoi(rest)
			if err != nil {
				return nil, fmt.Errorf("output of the interpreter: %q", line)
			}
			id = n
			outcomes[id] = Outcome{{Head: line, Seen: map[string]View{}}}
			continue
		}
		if id < 0 {
			return nil, fmt.Errorf("output of the interpreter: %q before the first program", line)
		}
		outcomes[id] = outcomes[id].parse(line)
	}
	return outcomes, nil
}

// parse adds one line to the outcome.
func (o Outcome) parse(line string) Outcome {
	last := &o[len(o)-1]
	switch {
	case strings.HasPrefix(line, "#"):
		head, result, _ := strings.Cut(line, ":")
		return append(o, Step{Head: head, Result: strings.TrimSpace(result), Seen: map[string]View{}})
	case strings.HasPrefix(line, "  P") && !strings.Contains(line, " returns "):
		name, view, _ := strings.Cut(strings.TrimSpace(line), " ")
		last.Seen[name] = View(view)
	default:
		last.Other = append(last.Other, line)
	}
	return o
}
