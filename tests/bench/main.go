// SPDX-License-Identifier: Apache-2.0

// Bench measures, in one run and side by side, what it costs to be under the
// emulator without calling cloneat, and what a call costs by engine and by size
// of the caller. It asserts nothing: figures depend on the machine, ratios less.
//
// Every column of a table is measured in each round, one after the other, and
// a ratio is the median over rounds of the ratio within a round: load that
// comes and goes then hits both sides.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/sirupsen/logrus"
)

func main() {
	var b bench
	var svg string
	flag.StringVar(&b.emulator, "emulator", "build/cloneat-emu", "the built command")
	flag.StringVar(&b.loops, "loops", "build/loops", "the built timing loops")
	flag.IntVar(&b.rounds, "rounds", 11, "rounds over all columns")
	flag.StringVar(&svg, "svg", "build/bench.svg", "where to write the plot")
	flag.Parse()
	if err := run(&b, svg); err != nil {
		logrus.Fatal(err)
	}
}

func run(b *bench, svg string) error {
	over, err := b.overhead()
	if err != nil {
		return err
	}
	fmt.Println(overheadTable(over))
	calls, err := b.calls()
	if err != nil {
		return err
	}
	fmt.Println(callTable(calls))
	if err := os.WriteFile(svg, []byte(plot(calls)), 0o644); err != nil {
		return err
	}
	fmt.Printf("plot: %s\n", svg)
	return nil
}
