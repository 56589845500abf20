// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Difference is a key that has another value in the clone than in fork's child; "-"
// is for a child that has no such key.
type Difference struct{ Key, Fork, Clone string }

// Cell is what one caller said about one target.
type Cell struct {
	Caller, Target string
	Differences    []Difference
	Keys           int    // compared
	Errno          int    // of the call that failed, or 0
	Lacking        string // what this kernel did not let the caller be
	Failed         string // why there is no answer
}

// complete is an error if a caller has not answered for each of its targets once, in order.
func complete(cells []*Cell, callers []Caller, targets func([]string) []string) error {
	for _, c := range callers {
		var want, got []string
		want = append(want, targets(c.Targets)...)
		for _, cell := range cells {
			if cell.Caller == c.Name {
				got = append(got, cell.Target)
			}
		}
		if len(want) == 0 || !slices.Equal(got, want) {
			return fmt.Errorf("caller %s has answered for the targets %q, not for %q", c.Name, got, want)
		}
	}
	return nil
}

// Parse reads what the callers printed. An output that ends early is an error.
func Parse(text string) (cells []*Cell, err error) {
	caller, finished := "", false
	var c *Cell
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		word, rest, _ := strings.Cut(line, " ")
		switch {
		case word == "caller":
			caller, c = rest, nil
		case word == "cell":
			c = &Cell{Caller: caller, Target: rest, Failed: "no answer"}
			cells = append(cells, c)
		case line == "done":
			finished = true
		case c == nil:
			return cells, fmt.Errorf("unexpected line %q", line)
		default:
			c.add(line, word, rest)
		}
	}
	if !finished {
		err = fmt.Errorf("the callers' output ends early, after %d bytes", len(text))
	}
	return cells, err
}

func (c *Cell) add(line, word, rest string) {
	switch {
	case strings.HasPrefix(line, "diff\t"):
		f := strings.SplitN(line, "\t", 4)
		f = append(f, "", "", "")
		c.Differences = append(c.Differences, Difference{f[1], f[2], f[3]})
	case word == "keys":
		n, lost, _ := strings.Cut(rest, " lost ")
		c.Keys, _ = strconv.Atoi(n)
		if lost != "0" {
			c.Failed = "lost " + lost + " lines"
		}
	case word == "errno":
		c.Errno, _ = strconv.Atoi(rest)
	case word == "rich":
		_, c.Lacking, _ = strings.Cut(rest, ", but")
	case line == "end":
		if c.Failed == "no answer" {
			c.Failed = ""
		}
	default: // "failed ...", or what a program said
		c.Failed = line
	}
}
