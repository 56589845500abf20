// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// options is the command line.
type options struct {
	Rounds   int      `default:"200" help:"How many programs."`
	Seed     uint64   `default:"1" help:"Program N of a seed is always the same."`
	Batch    int      `default:"2000" help:"Programs a boot."`
	First    int      `help:"The number of the first program."`
	Kernel   string   `default:"6.1" help:"The patched kernel: 6.1, 6.12 or an image."`
	Emulator string   `default:"build/cloneat-emu" help:"The emulator."`
	Interp   string   `default:"build/fuzz-interp" help:"The interpreter."`
	Keep     bool     `help:"Go on after a difference."`
	Compare  []string `help:"Compare two files with the interpreter's output instead: the kernel's, the emulator's."`
	Show     bool     `help:"Print the programs' text and run nothing."`
}

// tally counts what came of the programs.
type tally struct {
	programs, differ int
	documented       map[string]int
}

func main() {
	var o options
	kong.Parse(&o, kong.Name("fuzz"), kong.Description("Random programs on the kernel patch and under the emulator."))
	if o.Show {
		for n := range o.Rounds {
			fmt.Print(numbered(o.Seed, o.First+n))
		}
		return
	}
	run := o.run
	if len(o.Compare) == 2 {
		run = o.compareFiles
	}
	t, err := run()
	fmt.Println(t)
	if err != nil {
		fmt.Fprintln(os.Stderr, "fuzz:", err)
	}
	if err != nil || t.differ > 0 {
		os.Exit(1)
	}
}

func numbered(seed uint64, n int) Program {
	p := Draw(seed, n)
	p.ID = n
	return p
}

// String is the result in one line.
func (t *tally) String() string {
	all := 0
	var kinds []string
	for _, name := range slices.Sorted(maps.Keys(t.documented)) {
		all += t.documented[name]
		kinds = append(kinds, fmt.Sprintf("%s %d", name, t.documented[name]))
	}
	line := fmt.Sprintf("%d programs, %d differ, %d documented", t.programs, t.differ, all)
	if all > 0 {
		line += " (" + strings.Join(kinds, ", ") + ")"
	}
	return line
}

// run runs all rounds, batch by batch.
func (o *options) run() (*tally, error) {
	t := &tally{documented: make(map[string]int)}
	sides := Sides{Native: native(o.Kernel, o.Interp), Emu: emulated(o.Emulator, o.Interp, 2)}
	for first := o.First; first < o.First+o.Rounds; first += o.Batch {
		n := min(o.Batch, o.First+o.Rounds-first)
		if err := o.batch(t, sides, first, n); err != nil {
			return t, err
		}
		if t.differ > 0 && !o.Keep {
			break
		}
		if o.Rounds > o.Batch {
			fmt.Println(t)
		}
	}
	return t, nil
}

// batch draws and runs n programs from number first on.
func (o *options) batch(t *tally, sides Sides, first, n int) error {
	programs := make([]Program, n)
	for i := range programs {
		programs[i] = Draw(o.Seed, first+i)
	}
	native, emu, err := sides.Run(programs)
	if err != nil {
		return err
	}
	t.programs += n
	for i, p := range programs {
		if d := t.count(native[i], emu[i]); d != nil {
			if err := report(sides, o.Seed, first+i, p, d); err != nil {
				return err
			}
			if !o.Keep {
				return nil
			}
		}
	}
	return nil
}

// compareFiles compares outputs that are there already, and shrinks nothing.
func (o *options) compareFiles() (*tally, error) {
	t := &tally{documented: make(map[string]int)}
	var sides [2]map[int]Outcome
	for i, path := range o.Compare {
		text, err := os.ReadFile(path)
		if err == nil {
			sides[i], err = Parse(string(text))
		}
		if err != nil {
			return t, err
		}
	}
	for id := range sides[0] {
		t.programs++
		if d := t.count(sides[0][id], sides[1][id]); d != nil {
			fmt.Printf("program %d differs:\n%s", id, d)
		}
	}
	return t, nil
}

// count compares two outcomes and returns a difference that is not documented.
func (t *tally) count(native, emu Outcome) *Difference {
	d := Compare(native, emu)
	switch {
	case d == nil:
		return nil
	case d.Documented != "":
		t.documented[d.Documented]++
		return nil
	}
	t.differ++
	return d
}

// report shrinks a program that differs and prints it.
func report(sides Sides, seed uint64, n int, p Program, d *Difference) error {
	fmt.Printf("seed %d, program %d differs:\n%s", seed, n, d)
	p, d, err := Shrink(sides, p, d)
	fmt.Printf("shrunk:\n%s%s\n%s\n", p, d, Source(p))
	return err
}
