// SPDX-License-Identifier: Apache-2.0

// Treebench measures what cloneat-emu tree build needs for a process, in the ways
// that it has, as a multiple of a plain fork: the tree's own start, its check and
// its end included, and the fork's end. The ways take turns, and so do the forks;
// a ratio is the median over rounds of the ratio within a round.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"cloneat-emu/cmd/cloneat-emu/tree"
)

// bench is how to measure.
type bench struct {
	emulator, forks string
	processes       int
	rounds          int
}

// way is one of building.
type way struct {
	name  string
	flags []string
}

var ways = []way{
	{"clone3, by every parent", []string{"--fork"}},
	{"cloneat, by every parent", []string{"--callers", "parents"}},
	{"the same, light", []string{"--callers", "parents", "--light"}},
	{"cloneat, by one creator, light", []string{"--light"}},
	{"cloneat, by one creator", nil},
}

func main() {
	var b bench
	flag.StringVar(&b.emulator, "emulator", "build/cloneat-emu", "the built command")
	flag.StringVar(&b.forks, "forks", "build/forks", "the built measure")
	flag.IntVar(&b.processes, "processes", 1000, "in the tree")
	flag.IntVar(&b.rounds, "rounds", 3, "rounds over all ways")
	flag.Parse()
	if err := b.run(); err != nil {
		log.Fatal(err)
	}
}

// run measures and prints.
func (b *bench) run() error {
	dir, err := os.MkdirTemp("", "treebench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "tree.json")
	if err := save(b.processes, file); err != nil {
		return err
	}
	ratios, work, times := make([][]float64, len(ways)), make([][]float64, len(ways)), make([][]float64, len(ways))
	for range b.rounds {
		for i, w := range ways {
			// A fork before and one after: load changes while a tree is built.
			before, err := b.fork()
			if err != nil {
				return err
			}
			built, err := b.build(w, file)
			if err != nil {
				return err
			}
			after, err := b.fork()
			if err != nil {
				return err
			}
			times[i] = append(times[i], built.wall*1e3)
			ratios[i] = append(ratios[i], built.wall*2/(before.wall+after.wall))
			work[i] = append(work[i], built.cpu*2/(before.cpu+after.cpu))
		}
	}
	fmt.Printf("%d processes, %d rounds, for each process:\n", b.processes, b.rounds)
	for i, w := range ways {
		fmt.Printf("%-32s %7.2f ms %7.1f plain forks, in processor time %6.1f\n",
			w.name, median(times[i]), median(ratios[i]), median(work[i]))
	}
	return nil
}

// cost is what a process took, in seconds.
type cost struct{ wall, cpu float64 }

// each runs a command that makes n processes, all of which are reaped below it.
func each(cmd *exec.Cmd, n int) (cost, error) {
	begin := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		return cost{}, fmt.Errorf("%v: %w\n%s", cmd.Args, err, out)
	}
	wall := time.Since(begin)
	cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return cost{wall.Seconds() / float64(n), cpu.Seconds() / float64(n)}, nil
}

// build builds the tree and takes it down.
func (b *bench) build(w way, file string) (cost, error) {
	args := append([]string{"tree", "build", "--quiet", "--strict"}, w.flags...)
	return each(exec.Command(b.emulator, append(args, file, "--", "true")...), b.processes)
}

// fork makes, kills and reaps processes one by one.
func (b *bench) fork() (cost, error) {
	n := max(b.processes, 1000)
	return each(exec.Command(b.forks, strconv.Itoa(n)), n)
}

// save writes a tree ten wide: an init, and the parent of pid i is (i-2)/10+1.
func save(processes int, file string) error {
	t := tree.Tree{Version: tree.Version}
	for pid := 1; pid <= processes; pid++ {
		p := &tree.Process{PID: pid, PPID: (pid-2)/10 + 1, PGID: 1, SID: 1, State: "S", Comm: "member"}
		if pid == 1 {
			p.PPID = 0
		}
		t.Processes = append(t.Processes, p)
	}
	text, err := json.Marshal(&t)
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o644)
}

// median of a list.
func median(list []float64) float64 {
	slices.Sort(list)
	return list[len(list)/2]
}
