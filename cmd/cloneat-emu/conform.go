// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/launch"
	"cloneat-emu/emu/listen"
	"cloneat-emu/emu/proc"
	"cloneat-emu/tests"
	"cloneat-emu/tests/conform"
)

// conformCmd is "cloneat-emu conform".
type conformCmd struct {
	Under       string        `enum:"emu,native" default:"emu" help:"Under the emulator, or on a kernel that has the call (${enum})."`
	Filter      string        `placeholder:"RE" help:"Only the checks (program.check) that match."`
	JSON        bool          `name:"json" help:"Print the results as JSON."`
	Tell        bool          `hidden:"" help:"Tell each result at once, for compare."`
	Jobs        int           `default:"1" help:"How many programs run at the same time."`
	Dir         string        `default:"build/selftests" type:"path" help:"Where the conformance programs are."`
	Timeout     time.Duration `default:"30m" help:"For the whole suite."`
	CaseTimeout time.Duration `default:"6m" help:"For one check."`
}

// Validate is asked when the command line has been read.
func (c *conformCmd) Validate() error { return checkBounds(c.Jobs, c.Timeout, c.CaseTimeout) }

// checkBounds refuses a suite that could not run.
func checkBounds(jobs int, timeout, caseTimeout time.Duration) error {
	switch {
	case jobs < 1:
		return fmt.Errorf("--jobs %d: at least 1", jobs)
	case timeout <= 0:
		return fmt.Errorf("--timeout %s: the suite needs some time", timeout)
	case caseTimeout <= 0:
		return fmt.Errorf("--case-timeout %s: a check needs some time", caseTimeout)
	}
	return nil
}

// errUndocumented: the details were printed already.
const errUndocumented = exitStatus(1)

// Run runs the suite; exit status 1 if a check failed that is not announced to differ.
func (c *conformCmd) Run() error {
	results, unexpected, err := c.results()
	if err != nil {
		return err
	}
	if c.JSON {
		if err := json.NewEncoder(os.Stdout).Encode(results); err != nil {
			return err
		}
	} else {
		var out bytes.Buffer
		printResults(&out, results, unexpected)
		if _, err := out.WriteTo(os.Stdout); err != nil {
			return err
		}
	}
	if conform.Summarize(results).Failed > 0 {
		return errUndocumented
	}
	return nil
}

// results runs the suite with progress on stderr.
func (c *conformCmd) results() (results []conform.Result, unexpected []string, err error) {
	programs, err := findPrograms(c.Dir, c.Filter)
	if err != nil {
		return nil, nil, err
	}
	prefix, err := c.prefix()
	if err != nil {
		return nil, nil, err
	}
	// The programs are in process groups of their own: Ctrl-C must be passed on.
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	bar := newProgress("conform "+c.Under, programs)
	each := bar.result
	if c.Tell {
		each = tell
	}
	runner := conform.Runner{Prefix: prefix, Jobs: c.Jobs, CaseTimeout: c.CaseTimeout, Each: each}
	results = runner.Run(ctx, programs)
	bar.wait()
	if c.Under == "emu" {
		unexpected = conform.Document(results, tests.Documented())
	}
	return results, unexpected, nil
}

// findPrograms is conform.Find with an expression that may be wrong.
func findPrograms(dir, filter string) ([]conform.Program, error) {
	var re *regexp.Regexp
	if filter != "" {
		var err error
		if re, err = regexp.Compile(filter); err != nil {
			return nil, usageError(fmt.Sprintf("--filter: %v", err))
		}
	}
	return conform.Find(dir, re)
}

// prefix is the command line in front of a program's.
func (c *conformCmd) prefix() ([]string, error) {
	exists := launch.CallExists()
	if err := proc.Own(); err != nil {
		return nil, err
	}
	if c.Under == "native" {
		if !exists {
			return nil, errors.New("conform --under native: this kernel has no cloneat: boot a patched one with " +
				"\"cloneat-emu vm\", or use --under emu")
		}
		return nil, nil
	}
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	prefix := []string{exe, "run", "--log-level", "warn"} // what fails says why
	if exists && !listen.Filtered() {
		prefix = append(prefix, "--force") // the emulator is what is tested, not this kernel
	}
	return append(prefix, "--"), nil
}

// printResults prints what failed, with transcripts, then the summary.
func printResults(w io.Writer, results []conform.Result, unexpected []string) {
	var notRun []conform.Result
	for _, r := range results {
		if r.NotRun {
			notRun = append(notRun, r)
		}
		if r.Status != conform.Fail || r.NotRun {
			continue
		}
		fmt.Fprintf(w, "FAIL %s: %s\n     %s\n", r.Name, r.Verdict, r.Text)
		for line := range strings.Lines(r.Transcript) {
			fmt.Fprintf(w, "     | %s", strings.TrimRight(line, "\n")+"\n")
		}
	}
	for _, r := range results {
		if r.Status == conform.Skip {
			fmt.Fprintf(w, "skip %s: %s\n", r.Name, r.Text)
		}
	}
	if len(notRun) > 0 {
		fmt.Fprintf(w, "FAIL %d checks, from %s on, were not run: %s\n", len(notRun), notRun[0].Name, notRun[0].Text)
	}
	for _, name := range unexpected {
		fmt.Fprintf(w, "note %s is documented to differ, and does not\n", name)
	}
	fmt.Fprintln(w, conform.Summarize(results))
}
