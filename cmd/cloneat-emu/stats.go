// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/jedib0t/go-pretty/v6/table"
	"golang.org/x/sys/unix"

	"cloneat-emu/emu"
)

// printStats writes the table that --stats asks for: a line an engine, a line an error,
// and the sum.
func printStats(w io.Writer, s emu.Stats) {
	t := newTable(w, "cloneat", "calls", "p50", "p99", "copied")
	for _, name := range slices.Sorted(maps.Keys(s.ByEngine)) {
		e := s.ByEngine[name]
		t.AppendRow(table.Row{name, e.Calls, duration(e.P50), duration(e.P99), size(e.Bytes)})
	}
	t.AppendSeparator()
	failed := 0
	for _, errno := range slices.SortedFunc(maps.Keys(s.Errors), func(a, b unix.Errno) int { return int(a) - int(b) }) {
		failed += s.Errors[errno]
		t.AppendRow(table.Row{errnoName(errno), s.Errors[errno], "", "", ""})
	}
	t.AppendFooter(table.Row{fmt.Sprintf("%d errors", failed), s.Calls, "", "", size(s.Bytes)})
	t.Render()
	if s.Lost > 0 {
		fmt.Fprintf(w, "and %d calls that were not told of while this process was stopped\n", s.Lost)
	}
}

// size is a number of bytes for people.
func size(n uint64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	case n < 1<<30:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
}
