// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// duration shows nanoseconds with three digits.
func duration(ns float64) string {
	d := time.Duration(ns)
	switch {
	case d < time.Microsecond:
		return fmt.Sprintf("%.0f ns", ns)
	case d < time.Millisecond:
		return fmt.Sprintf("%s us", digits(ns/1e3))
	case d < time.Second:
		return fmt.Sprintf("%s ms", digits(ns/1e6))
	}
	return fmt.Sprintf("%s s", digits(ns/1e9))
}

// digits shows a number from 1 to 1000 with three significant digits.
func digits(x float64) string {
	switch {
	case x < 10:
		return strconv.FormatFloat(x, 'f', 2, 64)
	case x < 100:
		return strconv.FormatFloat(x, 'f', 1, 64)
	}
	return strconv.FormatFloat(x, 'f', 0, 64)
}

func newTable(title string) table.Writer {
	w := table.NewWriter()
	w.SetTitle(title)
	style := table.StyleLight
	style.Format.Header = text.FormatDefault
	w.SetStyle(style)
	return w
}

func overheadTable(o *overheads) string {
	w := newTable("A program that does not call cloneat: time on one processor, and ratio to native")
	header := table.Row{""}
	for _, c := range o.columns {
		header = append(header, c)
	}
	w.AppendHeader(header)
	for _, op := range operations {
		row := table.Row{op.name}
		for i, c := range o.rows[op.name] {
			cell := duration(c.Nanoseconds)
			if i > 0 {
				cell += fmt.Sprintf("  %.2fx", c.Ratio)
			}
			row = append(row, cell)
		}
		w.AppendRow(row)
	}
	return w.Render()
}

// titles says what the target of each kind of call is.
var titles = map[string]string{
	"self":   "self",
	"init":   "init: init of a container",
	"forked": "transplant: forked target",
	"execed": "transplant: exec'ed target",
}

func callTable(calls []call) string {
	w := newTable("A call until it returns, and ratio to a plain fork of the same caller")
	header := table.Row{"caller has touched"}
	for _, mb := range sizes {
		header = append(header, fmt.Sprintf("%d MB", mb))
	}
	w.AppendHeader(header)
	for _, kind := range kinds {
		row := table.Row{titles[kind]}
		for _, c := range of(kind, calls) {
			row = append(row, fmt.Sprintf("%s  %.1fx", duration(c.call), c.call/c.fork))
		}
		w.AppendRow(row)
	}
	row := table.Row{"plain fork"}
	for _, c := range of("self", calls) {
		row = append(row, duration(c.fork))
	}
	w.AppendRow(row)
	return w.Render()
}

// of are the calls of a kind, in the order of sizes.
func of(kind string, calls []call) []call {
	var out []call
	for _, c := range calls {
		if c.kind == kind {
			out = append(out, c)
		}
	}
	return out
}
