package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	columns, err := c.columns()
	if err != nil {
		return err
	}
	comparison := conform.Compare(columns, tests.Documented())
	if boot, err := bootScript(); err == nil {
		comparison.AddSources(filepath.Join(filepath.Dir(boot), "selftests", "cloneat"))
	}
	printComparison(comparison)
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
	run := conformCmd{Under: "emu", Filter: c.Filter, Jobs: c.Jobs, Dir: c.Dir, Timeout: c.Timeout, CaseTimeout: c.CaseTimeout}
	results, _, err := run.results()
	return conform.Column{Name: "emulator on " + release(), Emulator: true, Results: results}, err
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

// inMachine boots a machine that runs this executable's conform.
func (c *compareCmd) inMachine(m machine, name, under string) (conform.Column, error) {
	const dir = "/selftests"
	column := conform.Column{Name: "kernel " + name}
	if under == "emu" {
		column = conform.Column{Name: "emulator on " + name, Emulator: true}
	}
	self, err := os.Executable()
	if err != nil {
		return column, err
	}
	staged, err := stage(c.Dir)
	if err != nil {
		return column, err
	}
	defer os.RemoveAll(staged)
	m.Add = []string{staged + ":" + dir}
	args := []string{
		self, "conform", "--json", "--under", under, "--dir", dir, "--jobs", fmt.Sprint(c.Jobs),
		"--timeout", c.Timeout.String(), "--case-timeout", c.CaseTimeout.String(),
	}
	if c.Filter != "" {
		args = append(args, "--filter", c.Filter)
	}
	m.Timeout = c.Timeout + time.Minute
	cmd, err := m.command(args...)
	if err != nil {
		return column, err
	}
	fmt.Fprintf(os.Stderr, "%s ...\n", column.Name)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	runErr := runMachine(cmd) // exit status 1 says that a check failed, which the results say too
	if errors.Is(runErr, context.Canceled) {
		return column, runErr
	}
	column.Results, err = lastResults(out.Bytes())
	if err != nil {
		return column, fmt.Errorf("%s: %w\n%s%s", column.Name, errors.Join(runErr, err), tail(out.Bytes()), tail(errs.Bytes()))
	}
	if under == "emu" {
		conform.Document(column.Results, tests.Documented())
	}
	if m.UML {
		conform.Excuse(column.Results, tests.UML())
	}
	return column, nil
}

// stage copies the programs without what the build left beside them.
func stage(dir string) (string, error) {
	programs, err := findPrograms(dir, "")
	if err != nil {
		return "", err
	}
	staged, err := os.MkdirTemp("", "cloneat-selftests")
	if err != nil {
		return "", err
	}
	for _, p := range programs {
		data, err := os.ReadFile(p.Path)
		if err == nil {
			err = os.WriteFile(filepath.Join(staged, filepath.Base(p.Path)), data, 0o755)
		}
		if err != nil {
			return "", errors.Join(err, os.RemoveAll(staged))
		}
	}
	return staged, nil
}

// lastResults finds the line of JSON in what a machine printed.
func lastResults(out []byte) (results []conform.Result, err error) {
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	for i := len(lines) - 1; i >= 0; i-- {
		if bytes.HasPrefix(lines[i], []byte("[{")) {
			return results, json.Unmarshal(lines[i], &results)
		}
	}
	return nil, errors.New("the machine printed no results")
}

// tail is the end of a console.
func tail(text []byte) string {
	const most = 8 << 10
	return string(text[max(0, len(text)-most):])
}

// printComparison prints a line a column, and what does not agree.
func printComparison(c *conform.Comparison) {
	t := newTable(os.Stdout, "implementation", "passed", "failed", "documented", "skipped", "n/a")
	for _, col := range c.Columns {
		if col.Why != "" {
			t.AppendRow(table.Row{col.Name, "n/a", col.Why})
			continue
		}
		s := conform.Summarize(col.Results)
		t.AppendRow(table.Row{col.Name, s.Passed, s.Failed, s.Documented, s.Skipped, s.NA})
	}
	t.Render()
	for _, r := range c.Rows {
		if r.Outcome == conform.Agree {
			continue
		}
		fmt.Printf("%s %s: %s\n", strings.ToUpper(string(r.Outcome)), r.Name, r.Verdict)
		for i, cell := range r.Cells {
			if cell != nil && cell.Status != conform.Pass {
				fmt.Printf("     %s: %s %s\n", c.Columns[i].Name, cell.Status, cell.Text)
			}
		}
	}
	fmt.Println(c.Summary())
}
