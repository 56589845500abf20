// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Corpus reads the programs of a directory, one a file: what once differed, or
// looked as if it did. A line is an operation as Op.String writes it; # begins
// a comment.
func Corpus(dir string) ([]Program, error) {
	if dir == "" {
		return nil, nil
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil || len(paths) == 0 {
		return nil, errors.Join(err, fmt.Errorf("no programs (*.txt) in %s", dir))
	}
	var programs []Program
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		p, err := parseProgram(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		p.Origin = filepath.Base(path)
		programs = append(programs, p)
	}
	return programs, nil
}

func parseProgram(text string) (Program, error) {
	var p Program
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		op, err := parseOp(words)
		if err != nil {
			return p, err
		}
		p.Ops = append(p.Ops, op)
	}
	return p, nil
}

var actorName = regexp.MustCompile(`^P\d+$`)

func parseOp(words []string) (Op, error) {
	op := Op{Name: words[0], Child: -1}
	names := []*int{&op.Actor}
	if strings.HasPrefix(op.Name, "clone") {
		names = append(names, &op.Child)
	}
	if len(words) < 1+len(names) {
		return op, fmt.Errorf("%q: too few words", strings.Join(words, " "))
	}
	for i, n := range names {
		word := words[1+i]
		if !actorName.MatchString(word) {
			return op, fmt.Errorf("%q: %s is no actor (P0 to P%d)", strings.Join(words, " "), word, mostActors-1)
		}
		fmt.Sscanf(word, "P%d", n)
	}
	op.Args = words[1+len(names):]
	return op, nil
}
