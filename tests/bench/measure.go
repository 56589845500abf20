// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// bench is how to measure.
type bench struct {
	emulator, loops string
	rounds          int
}

// column is one way to run a program; the first, native, is the measure.
type column struct {
	name   string
	prefix []string
}

func (b *bench) columns() []column {
	return []column{
		{"native", nil},
		{"empty filter", []string{b.loops, "filter"}},
		{"run", []string{b.emulator, "run", "--"}},
		// A system call that nobody makes: what tracing costs, not printing.
		{"strace -f --seccomp-bpf", []string{"strace", "-f", "-o", "/dev/null", "--seccomp-bpf", "-e", "trace=swapon"}},
		{"strace -f", []string{"strace", "-f", "-o", "/dev/null", "-e", "trace=swapon"}},
	}
}

// operation is what the loops do, and how often in one go: long enough that the
// supervisor's own start, on the same processor, is but the beginning of it.
type operation struct {
	name, mode string
	count      int
}

var operations = []operation{
	{"getppid", "getppid", 200},
	{"fork+exit+wait", "fork", 300},
	{"fork+exec+wait", "exec", 200},
}

// cost of an operation in one column.
type cost struct {
	// Nanoseconds is the median over rounds.
	Nanoseconds float64
	// Ratio to native: the median over rounds of the ratio within a round.
	Ratio float64
}

// overheads are costs by operation and column, both in their order.
type overheads struct {
	columns []string
	rows    map[string][]cost
}

func (b *bench) overhead() (*overheads, error) {
	o := &overheads{rows: map[string][]cost{}}
	for _, c := range b.columns() {
		o.columns = append(o.columns, c.name)
	}
	for _, op := range operations {
		costs, err := b.operation(op)
		if err != nil {
			return nil, err
		}
		o.rows[op.name] = costs
	}
	return o, nil
}

func (b *bench) operation(op operation) ([]cost, error) {
	columns := b.columns()
	times := make([][]float64, len(columns))
	for range b.rounds {
		for i, c := range columns {
			out, err := output(slices.Concat(onOne(), c.prefix, []string{b.loops, op.mode, strconv.Itoa(op.count)}), 1)
			if err != nil {
				return nil, err
			}
			times[i] = append(times[i], out[0])
		}
	}
	costs := make([]cost, len(columns))
	for i := range columns {
		costs[i] = cost{median(times[i]), medianRatio(times[i], times[0])}
	}
	return costs, nil
}

// onOne keeps a command, and what it starts, on one processor: with two, where the kernel
// happens to wake a child decides more than a filter does.
func onOne() []string {
	var may unix.CPUSet
	cpu := 0
	if unix.SchedGetaffinity(0, &may) == nil {
		for !may.IsSet(cpu) {
			cpu++
		}
	}
	return []string{"taskset", "-c", strconv.Itoa(cpu)}
}

// call is one engine at one size of the caller.
type call struct {
	kind string
	mb   int
	// fork and call are medians in nanoseconds, taken in turns.
	fork, call float64
}

var (
	kinds = []string{"self", "init", "forked", "execed"}
	sizes = []int{1, 10, 100, 1024}
)

// repeats keeps the time at each size about the same.
func repeats(mb int) int { return max(3, min(200, 1000/mb)) }

func (b *bench) calls() ([]call, error) {
	var calls []call
	for _, mb := range sizes {
		for _, kind := range kinds {
			out, err := output([]string{
				b.emulator, "run", "--",
				b.loops, kind, strconv.Itoa(mb), strconv.Itoa(repeats(mb)),
			}, 2)
			if err != nil {
				return nil, err
			}
			calls = append(calls, call{kind, mb, out[0], out[1]})
		}
	}
	return calls, nil
}

// output runs a command that prints n numbers.
func output(argv []string, n int) ([]float64, error) {
	var stderr bytes.Buffer
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%v: %w: %s", argv, err, stderr.Bytes())
	}
	fields := strings.Fields(string(out))
	if len(fields) != n {
		return nil, fmt.Errorf("%v: want %d numbers, got %q", argv, n, out)
	}
	numbers := make([]float64, n)
	for i, f := range fields {
		if numbers[i], err = strconv.ParseFloat(f, 64); err != nil {
			return nil, fmt.Errorf("%v: %w", argv, err)
		}
	}
	return numbers, nil
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return s[len(s)/2]
}

// medianRatio is the median of a[i]/b[i].
func medianRatio(a, b []float64) float64 {
	ratios := make([]float64, len(a))
	for i := range a {
		ratios[i] = a[i] / b[i]
	}
	return median(ratios)
}
