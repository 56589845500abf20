// SPDX-License-Identifier: Apache-2.0

package main

import "strconv"

// Shrink returns the smallest program found that still differs in a way that is
// not documented, and how. Each round tries many smaller programs in one batch,
// since a boot costs more than a program.
func Shrink(s Sides, p Program, d *Difference) (Program, *Difference, error) {
	for {
		list := smaller(p, d.Step)
		if len(list) == 0 {
			return p, d, nil
		}
		native, emu, err := s.Run(list)
		if err != nil {
			return p, d, err
		}
		found := false
		for i, q := range list {
			if diff := Compare(native[i], emu[i]); diff != nil && diff.Documented == "" {
				p, d, found = q, diff, true
				break
			}
		}
		if !found {
			return p, d, nil
		}
	}
}

// smaller returns simpler programs, the simplest first. What comes after the
// step that differs is of no use.
func smaller(p Program, step int) []Program {
	var list []Program
	if step > 0 && step < len(p.Ops) {
		p = Program{Ops: p.Ops[:step]}
		list = append(list, p)
	}
	for n := len(p.Ops) / 2; n >= 1; n /= 2 {
		for at := 0; at+n <= len(p.Ops); at++ {
			list = append(list, p.without(at, n))
		}
	}
	for i, op := range p.Ops {
		for _, simple := range simpler(op) {
			list = append(list, p.with(i, simple))
		}
	}
	return list
}

// simpler returns the operation with one argument less odd.
func simpler(op Op) []Op {
	var list []Op
	switch op.Name {
	case "cloneat":
		for i, plain := range map[int]string{1: "0", 5: "0", 4: "8"} {
			if op.Args[i] != plain {
				list = append(list, op.arg(i, plain))
			}
		}
		list = append(list, fewerBits(op, 2)...)
		list = append(list, fewerBits(op, 3)...)
	case "clone":
		list = append(list, fewerBits(op, 0)...)
	}
	return list
}

// fewerBits clears each flag of argument i in turn.
func fewerBits(op Op, i int) []Op {
	var list []Op
	n, err := strconv.ParseUint(op.Args[i], 0, 32)
	if err != nil {
		return nil
	}
	for bit := range 32 {
		if mask := uint64(1) << bit; n&mask != 0 && (bit >= 8 || i == 3) {
			list = append(list, op.arg(i, hex(uint32(n&^mask))))
		}
	}
	return list
}
