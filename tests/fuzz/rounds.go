// SPDX-License-Identifier: Apache-2.0

package main

import "fmt"

// run runs the corpus and all rounds, batch by batch.
func (o *options) run() (*tally, error) {
	t := newTally()
	programs, err := Corpus(o.Corpus)
	if err != nil {
		return t, err
	}
	sides := Sides{Native: native(o.Kernel, o.Interp), Emu: emulated(o.Emulator, o.Interp, 2)}
	for first := o.First; first < o.First+o.Rounds; first += o.Batch {
		for n := range min(o.Batch, o.First+o.Rounds-first) {
			programs = append(programs, Draw(o.Seed, first+n))
		}
		if err := o.batch(t, sides, programs); err != nil {
			return t, err
		}
		if t.differ > 0 && !o.Keep {
			break
		}
		if o.Rounds > o.Batch {
			fmt.Println(t)
		}
		programs = nil
	}
	return t, nil
}

// batch runs programs on both sides and reports what differs.
func (o *options) batch(t *tally, sides Sides, programs []Program) error {
	native, emu, err := sides.Run(programs)
	if err != nil {
		return err
	}
	t.programs += len(programs)
	for i, p := range programs {
		d := t.count(native[i], emu[i])
		if d == nil {
			continue
		}
		if err := o.report(sides, p, d); err != nil || !o.Keep {
			return err
		}
	}
	return nil
}

// report shrinks a program that differs and prints it.
func (o *options) report(sides Sides, p Program, d *Difference) error {
	fmt.Printf("%s differs:\n%s", p.Origin, d)
	if !o.Shrink {
		return nil
	}
	p, d, err := Shrink(sides, p, d)
	fmt.Printf("shrunk:\n%s%s\n%s\n", p, d, Source(p))
	return err
}
