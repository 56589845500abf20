// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"strings"
)

// Op is one operation: actor number Actor does it. Child is the number of the
// actor that it makes, or -1. Args are the interpreter's words: numbers, or Pn
// for the number that actor n has where it is asked for.
type Op struct {
	Name  string
	Actor int
	Child int
	Args  []string
}

// String is the operation's line for the interpreter.
func (o Op) String() string {
	words := []string{o.Name, fmt.Sprintf("P%d", o.Actor)}
	if o.Child >= 0 {
		words = append(words, fmt.Sprintf("P%d", o.Child))
	}
	return strings.Join(append(words, o.Args...), " ")
}

// Program is a list of operations with a name of its own in a batch, and where
// it comes from, for people.
type Program struct {
	ID     int
	Origin string
	Ops    []Op
}

// String is the program's text for the interpreter.
func (p Program) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "program %d\n", p.ID)
	for _, op := range p.Ops {
		fmt.Fprintln(&b, op)
	}
	return b.String()
}

// Batch is the text of many programs.
func Batch(programs []Program) string {
	var b strings.Builder
	for _, p := range programs {
		b.WriteString(p.String())
	}
	return b.String()
}

// without returns the program less n operations from at on.
func (p Program) without(at, n int) Program {
	return Program{Ops: slices.Delete(slices.Clone(p.Ops), at, at+n)}
}

// with returns the program with another operation at this place.
func (p Program) with(at int, op Op) Program {
	q := Program{Ops: slices.Clone(p.Ops)}
	q.Ops[at] = op
	return q
}

// arg returns the operation with another argument i.
func (o Op) arg(i int, value string) Op {
	o.Args = slices.Clone(o.Args)
	o.Args[i] = value
	return o
}
