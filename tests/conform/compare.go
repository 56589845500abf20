// SPDX-License-Identifier: Apache-2.0

package conform

import (
	"fmt"
	"slices"
	"time"
)

// Column is one implementation on one kernel.
type Column struct {
	Name     string        `json:"name"` // "emulator on 6.1"
	Emulator bool          `json:"emulator"`
	Why      string        `json:"why,omitempty"` // why there are no results: the column is n/a
	Results  []Result      `json:"results"`
	Took     time.Duration `json:"nanoseconds"` // to run them all, with the machine's boot
}

// Outcome says how a check's columns relate.
type Outcome string

// The outcomes of a comparison. FailsEverywhere is an agreement that nobody wants.
const (
	Agree           Outcome = "agree"
	Differ          Outcome = "differ"
	Announced       Outcome = "documented"
	FailsEverywhere Outcome = "fails everywhere"
)

// Row is one check in all columns.
type Row struct {
	Name       string    `json:"name"`
	Verdict    string    `json:"verdict"`
	Outcome    Outcome   `json:"outcome"`
	Difference string    `json:"difference,omitempty"` // its name in the manual page
	Cells      []*Result `json:"cells"`                // a column each; nil: n/a
	Source     string    `json:"source,omitempty"`
	Place      string    `json:"place,omitempty"` // file and line of Source
}

// Comparison is all checks in all columns.
type Comparison struct {
	Columns []Column `json:"columns"`
	Rows    []Row    `json:"rows"`
}

// Compare lines the columns up by the names of their checks, in the order in which they
// first appear. documented announces differences of the emulator.
func Compare(columns []Column, documented map[string]string) *Comparison {
	c := &Comparison{Columns: columns}
	index := make(map[string]int)
	for i := range columns {
		for j := range columns[i].Results {
			r := &columns[i].Results[j]
			at, ok := index[r.Name]
			if !ok {
				at = len(c.Rows)
				index[r.Name] = at
				c.Rows = append(c.Rows, Row{Name: r.Name, Verdict: r.Verdict, Cells: make([]*Result, len(columns))})
			}
			c.Rows[at].Cells[i] = r
		}
	}
	for i := range c.Rows {
		c.Rows[i].judge(columns, documented)
	}
	return c
}

// judge compares what was run; what was skipped or does not apply says nothing. A column
// with results that lacks the check differs.
func (r *Row) judge(columns []Column, documented map[string]string) {
	passed, failed, kernelFailed, lost := 0, 0, false, false
	for i, cell := range r.Cells {
		switch {
		case cell == nil:
			lost = lost || columns[i].Why == ""
		case cell.Status == Skip || cell.Status == NA:
		case cell.Status == Pass:
			passed++
		default:
			failed++
			kernelFailed = kernelFailed || !columns[i].Emulator
		}
	}
	r.Difference = documented[r.Name]
	switch {
	case lost:
		r.Outcome = Differ
	case failed == 0:
		r.Outcome = Agree
	case r.Difference != "" && !kernelFailed:
		r.Outcome = Announced
	case passed == 0:
		r.Outcome = FailsEverywhere
	default:
		r.Outcome = Differ
	}
}

// wrong: the check differs, or fails everywhere, and nothing announces it.
func (r Row) wrong() bool { return r.Outcome == Differ || r.Outcome == FailsEverywhere }

// Count is how many rows have an outcome.
func (c *Comparison) Count(o Outcome) (n int) {
	for _, r := range c.Rows {
		if r.Outcome == o {
			n++
		}
	}
	return n
}

// Nowhere are the checks that no column has run.
func (c *Comparison) Nowhere() (names []string) {
	for _, r := range c.Rows {
		ran := slices.ContainsFunc(r.Cells, func(cell *Result) bool {
			return cell != nil && cell.Status != Skip && cell.Status != NA
		})
		if !ran {
			names = append(names, r.Name)
		}
	}
	return names
}

// OK reports whether nothing differs but what is documented.
func (c *Comparison) OK() bool { return c.Count(Differ) == 0 && c.Count(FailsEverywhere) == 0 }

// Summary is one line.
func (c *Comparison) Summary() string {
	return fmt.Sprintf("%d checks, %d columns: %d agree, %d differ, %d documented, %d fail everywhere",
		len(c.Rows), len(c.Columns), c.Count(Agree), c.Count(Differ), c.Count(Announced), c.Count(FailsEverywhere))
}

// AddSources puts the source of every check that failed somewhere into its row.
func (c *Comparison) AddSources(dir string) {
	for i := range c.Rows {
		if r := &c.Rows[i]; r.Outcome != Agree {
			r.Source, r.Place = Source(dir, r.Name)
		}
	}
}
