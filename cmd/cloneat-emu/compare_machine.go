// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"cloneat-emu/tests"
	"cloneat-emu/tests/conform"
)

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
		self, "conform", "--json", "--tell", "--under", under, "--dir", dir, "--jobs", fmt.Sprint(c.Jobs),
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
	programs, err := findPrograms(c.Dir, c.Filter)
	if err != nil {
		return column, err
	}
	bar := newProgress(column.Name, programs)
	begun, out, errs := time.Now(), listener{each: bar.result}, bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = &out, &errs
	runErr := runMachine(cmd) // exit status 1 says that a check failed, which the results say too
	bar.wait()
	column.Took = time.Since(begun)
	if errors.Is(runErr, errEnded) {
		return column, runErr
	}
	column.Results, err = lastResults(out.rest.Bytes())
	if err != nil {
		return column, fmt.Errorf("%s: %w\n%s%s", column.Name, errors.Join(runErr, err), tail(out.rest.Bytes()), tail(errs.Bytes()))
	}
	var unexpected []string
	if under == "emu" {
		unexpected = conform.Document(column.Results, tests.Documented())
	}
	if m.UML {
		unexpected = conform.Excuse(column.Results, tests.UML())
	}
	tellColumn(column, unexpected)
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

// told begins the lines that tell a result at once.
const told = "told "

// tell is what "conform --tell" does with a result.
func tell(r conform.Result) { fmt.Printf("%s%s %s\n", told, r.Status, r.Name) }

// listener takes the results out of what a machine prints, and keeps the rest.
type listener struct {
	each func(conform.Result)
	line []byte // not yet complete
	rest bytes.Buffer
}

// Write implements io.Writer.
func (l *listener) Write(p []byte) (int, error) {
	l.line = append(l.line, p...)
	for {
		line, more, ok := bytes.Cut(l.line, []byte("\n"))
		if !ok {
			return len(p), nil
		}
		l.line = more
		if text, ok := strings.CutPrefix(string(line), told); ok {
			status, name, _ := strings.Cut(strings.TrimSpace(text), " ")
			l.each(conform.Result{Status: conform.Status(status), Name: name})
		} else {
			l.rest.Write(append(line, '\n'))
		}
	}
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
