// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"golang.org/x/sys/unix"

	"cloneat-emu/tests"
	"cloneat-emu/tests/conform"
)

// compareCmd is "cloneat-emu compare".
type compareCmd struct {
	Kernel      []string      `default:"6.1" placeholder:"6.1|6.12|PATH" help:"The patched kernels; several with commas."`
	Uml         bool          `help:"Also the patched kernels as user-mode Linux."`
	Report      []string      `placeholder:"FILE" type:"path" help:"Write a report: .html, .md or .json."`
	Filter      string        `placeholder:"RE" help:"Only the checks (program.check) that match."`
	Jobs        int           `default:"2" help:"How many programs run at the same time."`
	Dir         string        `default:"build/selftests" type:"path" help:"Where the conformance programs are."`
	Timeout     time.Duration `default:"30m" help:"For each column."`
	CaseTimeout time.Duration `default:"6m" help:"For one check."`
}

// Run makes the columns one after the other and compares; exit status 1 if anything
// differs that is not documented.
func (c *compareCmd) Run() error {
	if err := c.check(); err != nil {
		return err
	}
	columns, err := c.columns()
	if err != nil {
		return err
	}
	comparison := conform.Compare(columns, tests.Documented())
	if boot, err := bootScript(); err == nil {
		comparison.AddSources(filepath.Join(filepath.Dir(boot), "selftests", "cloneat"))
	}
	var out bytes.Buffer
	printComparison(&out, comparison)
	if _, err := out.WriteTo(os.Stdout); err != nil {
		return err
	}
	for _, name := range c.Report {
		if err := comparison.WriteReport(name); err != nil {
			return err
		}
	}
	if !comparison.OK() {
		return errUndocumented
	}
	return nil
}

// check refuses what would be found out when everything has run.
func (c *compareCmd) check() error {
	for _, name := range c.Report {
		if err := conform.CheckReport(name); err != nil {
			return usageError(err.Error())
		}
	}
	for _, kernel := range c.Kernel {
		if err := checkKernel(kernel); err != nil {
			return err
		}
	}
	_, err := findPrograms(c.Dir, c.Filter)
	return err
}

// Validate is asked when the command line has been read.
func (c *compareCmd) Validate() error { return checkBounds(c.Jobs, c.Timeout, c.CaseTimeout) }

// columns runs the suite everywhere. A machine that does not boot is an error; what a
// kind of machine cannot do is a column without results that says so.
func (c *compareCmd) columns() ([]conform.Column, error) {
	here, err := c.here()
	if err != nil {
		return nil, err
	}
	list := []conform.Column{here}
	for _, kernel := range c.Kernel {
		name := strings.TrimSuffix(filepath.Base(kernel), filepath.Ext(kernel))
		if !strings.Contains(kernel, "/") {
			name = kernel
		}
		for _, under := range []string{"native", "emu"} {
			column, err := c.inMachine(machine{Kernel: kernel}, name, under)
			if err != nil {
				return nil, err
			}
			list = append(list, column)
		}
		if c.Uml {
			column, err := c.inMachine(machine{Kernel: kernel, UML: true}, name+"-uml", "native")
			if err != nil {
				return nil, err
			}
			list = append(list, column, conform.Column{
				Name: "emulator on " + name + "-uml", Emulator: true,
				Why: "UML has neither PTRACE_GETREGSET nor PTRACE_GET_SYSCALL_INFO",
			})
		}
	}
	return list, nil
}

// here runs the suite under the emulator on this kernel.
func (c *compareCmd) here() (conform.Column, error) {
	begun := time.Now()
	run := conformCmd{Under: "emu", Filter: c.Filter, Jobs: c.Jobs, Dir: c.Dir, Timeout: c.Timeout, CaseTimeout: c.CaseTimeout}
	results, unexpected, err := run.results()
	column := conform.Column{Name: "emulator on " + release(), Emulator: true, Results: results, Took: time.Since(begun)}
	tellColumn(column, unexpected)
	return column, err
}

// release is this kernel's version without what a distribution adds.
func release() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return "this kernel"
	}
	name, _, _ := strings.Cut(unix.ByteSliceToString(u.Release[:]), "-")
	return name
}

// tellColumn says that a column is complete, and which checks are excused there for nothing.
func tellColumn(c conform.Column, unexpected []string) {
	fmt.Fprintf(os.Stderr, "%s: %s, in %s\n", c.Name, conform.Summarize(c.Results), c.Took.Round(time.Second))
	for _, name := range unexpected {
		fmt.Fprintf(os.Stderr, "%s: note: %s may fail there, and passes\n", c.Name, name)
	}
}

// printComparison prints a line a column, and what does not agree.
func printComparison(w io.Writer, c *conform.Comparison) {
	t := newTable(w, "implementation", "passed", "failed", "documented", "skipped", "n/a", "took")
	for _, col := range c.Columns {
		if col.Why != "" {
			t.AppendRow(table.Row{col.Name, "n/a", col.Why})
			continue
		}
		s := conform.Summarize(col.Results)
		t.AppendRow(table.Row{col.Name, s.Passed, s.Failed, s.Documented, s.Skipped, s.NA, col.Took.Round(time.Second)})
	}
	t.Render()
	for _, r := range c.Rows {
		if r.Outcome == conform.Agree {
			continue
		}
		fmt.Fprintf(w, "%s %s: %s\n", strings.ToUpper(string(r.Outcome)), r.Name, r.Verdict)
		for i, cell := range r.Cells {
			switch {
			case cell == nil && c.Columns[i].Why == "":
				fmt.Fprintf(w, "     %s: has no result\n", c.Columns[i].Name)
			case cell != nil && cell.Status != conform.Pass:
				fmt.Fprintf(w, "     %s: %s %s\n", c.Columns[i].Name, cell.Status, cell.Text)
			}
		}
	}
	for _, name := range c.Nowhere() {
		fmt.Fprintf(w, "note %s was run nowhere\n", name)
	}
	fmt.Fprintln(w, c.Summary())
}
