// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// Side runs a batch of programs on one implementation and returns the
// interpreter's output.
type Side func(batch string) (string, error)

// Sides are the two implementations.
type Sides struct {
	Native, Emu Side
}

// native boots the patched kernel with the interpreter as its only program.
// Paths are relative to the checkout. One processor that is emulated takes half
// the time that two need for the same programs: they invalidate each other's
// translations, and have to be asked to.
func native(kernel, interp string) Side {
	return func(batch string) (string, error) {
		return inFile(batch, func(path string) (string, error) {
			return output("kernel/boot.sh", "--kernel", kernel, "--timeout", "7200", "--smp", "1",
				"--add", path+":/programs", "--", interp, "-j", "1", "/programs")
		})
	}
}

// emulated runs the interpreter here, all programs below one emulator.
func emulated(emulator, interp string, jobs int, extra ...string) Side {
	return traced(emulator, "", interp, jobs, extra...)
}

// traced is emulated with a trace of the calls in a file, if one is named.
func traced(emulator, trace, interp string, jobs int, extra ...string) Side {
	args := []string{"run"}
	if trace != "" {
		args = append(args, "--trace="+trace)
	}
	args = append(args, "--", interp, "-j", fmt.Sprint(jobs))
	args = append(args, extra...)
	return func(batch string) (string, error) {
		return inFile(batch, func(path string) (string, error) {
			return output(emulator, append(slices.Clip(args), path)...)
		})
	}
}

// inFile calls f with the path of a file that holds the text.
func inFile(text string, f func(path string) (string, error)) (string, error) {
	dir, err := os.MkdirTemp("", "cloneat-fuzz")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "programs")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return "", err
	}
	return f(path)
}

// output runs a command and returns what it printed.
func output(name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", name, err, tail(stderr.Bytes()))
	}
	if stderr.Len() > 0 {
		os.Stderr.Write(stderr.Bytes())
	}
	return stdout.String(), nil
}

func tail(b []byte) []byte {
	const most = 4000
	return b[max(0, len(b)-most):]
}

// Run runs the programs on both sides at a time. The outcomes are by the
// programs' places in the list.
func (s Sides) Run(programs []Program) (native, emu map[int]Outcome, err error) {
	for i := range programs {
		programs[i].ID = i
	}
	batch := Batch(programs)
	done := make(chan error, 1)
	go func() {
		var err error
		native, err = run(s.Native, programs, batch)
		done <- err
	}()
	emu, err = run(s.Emu, programs, batch)
	return native, emu, errors.Join(err, <-done)
}

func run(side Side, programs []Program, batch string) (map[int]Outcome, error) {
	text, err := side(batch)
	if err != nil {
		return nil, err
	}
	outcomes, err := Parse(text)
	return outcomes, errors.Join(err, complete(programs, outcomes))
}

// complete is an error if a program has not as many steps as operations, and does not say
// why: what neither side has run is the same on both.
func complete(programs []Program, outcomes map[int]Outcome) error {
	for i, p := range programs {
		o := outcomes[i]
		if len(o) == 0 || len(o) < 1+len(p.Ops) && !o[len(o)-1].broken() {
			return fmt.Errorf("program %d has %d operations, and an outcome of %d steps", i, len(p.Ops), len(o))
		}
	}
	if len(outcomes) != len(programs) {
		return fmt.Errorf("%d programs, %d outcomes", len(programs), len(outcomes))
	}
	return nil
}
