// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/xml"
	"strings"
	"testing"

	"cloneat-emu/tests/built"
)

// sample has a call of each kind and size: times grow with the size.
func sample() []call {
	var calls []call
	for _, mb := range sizes {
		for i, kind := range kinds {
			calls = append(calls, call{kind, mb, 50e3 * float64(mb), 70e3 * float64(mb*(i+1))})
		}
	}
	return calls
}

func TestPlotIsXMLWithALineAnEngine(t *testing.T) {
	svg := plot(sample())
	if err := xml.Unmarshal([]byte(svg), new(struct{})); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Count(svg, "<polyline"), len(kinds)+1; got != want {
		t.Errorf("%d lines, want %d", got, want)
	}
}

func TestCallTableShowsTimeAndRatio(t *testing.T) {
	out := callTable(sample())
	for _, want := range []string{"70.0 us  1.4x", "exec'ed target", "plain fork", "50.0 us", "51.2 ms"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

func TestMedianRatioIsWithinRounds(t *testing.T) {
	// A machine that gets ten times slower in between: still twice as long.
	if got := medianRatio([]float64{2, 20, 200}, []float64{1, 10, 100}); got != 2 {
		t.Errorf("got %v, want 2", got)
	}
}

// TestLoops: each loop runs and prints a time, natively and behind a filter.
func TestLoops(t *testing.T) {
	loops := built.C(t, "tests/bench/loops/loops.c")
	for _, op := range operations {
		for _, prefix := range [][]string{nil, {loops, "filter"}} {
			out, err := output(append(prefix, loops, op.mode, "3"), 1)
			if err != nil {
				t.Fatal(err)
			}
			if out[0] <= 0 {
				t.Errorf("%s took %v ns", op.name, out[0])
			}
		}
	}
}

// TestCalls: each kind of target works under the emulator, and both a fork's
// and a call's time come back.
func TestCalls(t *testing.T) {
	loops, emulator := built.C(t, "tests/bench/loops/loops.c"), built.Emulator(t)
	for _, kind := range kinds {
		if _, err := output([]string{emulator, "run", "--", loops, kind, "1", "2"}, 2); err != nil {
			t.Error(err)
		}
	}
}
