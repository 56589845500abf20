// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Side runs a script and returns what it printed.
type Side func(callers []Caller) ([]*Cell, error)

// Emulated runs the callers here, under the emulator.
func Emulated(emulator, programs string) Side {
	return func(callers []Caller) ([]*Cell, error) {
		dir, err := publish(programs)
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		out, err := output(emulator, "run", "--", "/bin/sh", "-c", script(callers, dir, here))
		if err != nil {
			return nil, err
		}
		return answers(out, callers, here)
	}
}

// hugePages sets some aside, in a machine that nobody else uses.
const hugePages = "echo 16 >/proc/sys/vm/nr_hugepages\n"

// Native boots the patched kernel with the callers that a small machine can run.
func Native(kernel, programs string) Side {
	return func(callers []Caller) ([]*Cell, error) {
		var some []Caller
		for _, c := range callers {
			if !c.Here {
				some = append(some, c)
			}
		}
		out, err := output("kernel/boot.sh", "--kernel", kernel, "--timeout", "3600",
			"--add", programs+":/oracle", "--", "/bin/sh", "-c", hugePages+script(some, "/oracle", within))
		if err != nil {
			return nil, err
		}
		return answers(out, some, within)
	}
}

// answers are those of all callers: one that ends early keeps nobody from the next.
func answers(out string, callers []Caller, targets func([]string) []string) ([]*Cell, error) {
	cells, err := Parse(out)
	return cells, errors.Join(err, complete(cells, callers, targets))
}

// publish copies the programs to where a caller without privileges finds them.
func publish(programs string) (string, error) {
	dir, err := os.MkdirTemp("/tmp", "oracle")
	if err != nil {
		return "", err
	}
	files, err := filepath.Glob(programs + "/*")
	for _, f := range files {
		if info, statErr := os.Stat(f); statErr != nil || info.IsDir() || err != nil {
			continue
		}
		var data []byte
		if data, err = os.ReadFile(f); err == nil {
			err = os.WriteFile(filepath.Join(dir, filepath.Base(f)), data, 0o755)
		}
	}
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		os.RemoveAll(dir)
	}
	return dir, err
}

// output runs a command and returns what it printed. Its status is not looked at where
// there is output to judge.
func output(name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s%s", name, err, tail(stdout.Bytes()), tail(stderr.Bytes()))
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
