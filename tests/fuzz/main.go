// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"

	"github.com/alecthomas/kong"
)

// options is the command line.
type options struct {
	Rounds   int      `default:"200" help:"How many programs are drawn."`
	Seed     uint64   `default:"1" help:"Program N of a seed is always the same."`
	Batch    int      `default:"2000" help:"Programs a boot."`
	First    int      `help:"The number of the first program."`
	Corpus   string   `default:"tests/fuzz/testdata/programs" help:"Programs that are run before those that are drawn; none if empty."`
	Kernel   string   `default:"6.1" help:"The patched kernel: 6.1, 6.12 or an image."`
	Emulator string   `default:"build/cloneat-emu" help:"The emulator."`
	Interp   string   `default:"build/fuzz-interp" help:"The interpreter."`
	Keep     bool     `help:"Go on after a difference."`
	Shrink   bool     `default:"true" negatable:"" help:"Look for a smaller program that differs."`
	Compare  []string `help:"Compare two files with the interpreter's output instead: the kernel's, the emulator's."`
	Show     bool     `help:"Print the programs' text and run nothing."`
}

func main() {
	var o options
	kong.Parse(&o, kong.Name("fuzz"), kong.Description("Random programs on the kernel patch and under the emulator."))
	if o.Show {
		o.show()
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

// show prints the programs that would be drawn.
func (o *options) show() {
	for n := range o.Rounds {
		p := Draw(o.Seed, o.First+n)
		p.ID = o.First + n
		fmt.Print(p)
	}
}

// compareFiles compares outputs that are there already, and shrinks nothing.
func (o *options) compareFiles() (*tally, error) {
	t := newTally()
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
	if len(sides[0]) == 0 || len(sides[0]) != len(sides[1]) {
		return t, fmt.Errorf("%d programs and %d", len(sides[0]), len(sides[1]))
	}
	for id := range sides[0] {
		t.programs++
		if d := t.count(sides[0][id], sides[1][id]); d != nil {
			fmt.Printf("program %d differs:\n%s", id, d)
		}
	}
	return t, nil
}
