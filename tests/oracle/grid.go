// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
)

// Caller is a row of the grid: a program, its options (eye.h), and which targets it
// is tried with.
type Caller struct {
	Name    string
	Program string // below the folder of programs; caller.py runs in an interpreter
	Options string
	Targets []string
	// Here says that it needs what only a whole machine has.
	Here bool
}

// Options of eye.h.
const (
	ownOnly = 1 << iota
	runtimes
	manyFDs
	manyMaps
	filter
	user
	memory
	child
)

// unreadable is the caller with a filter, no_new_privs, and not dumpable.
const unreadable = "filter"

// The columns. Executed programs that are not installed are left out.
var (
	near      = []string{"self", "forked", "twin", "grandchild"}
	programs  = []string{"static", "dynamic", "go", "python", "node", "java"}
	contained = []string{"init", "member", "nested_init", "nested_member", "user_init", "user_member"}
	odd       = []string{"chroot", "uid", "dead_leader", "setsid"}
	all       = slices.Concat(near, programs, contained, odd)
	few       = []string{"self", "forked", "static", "init", "member"}
)

func option(bits uint64, threads int) string {
	if threads == 0 {
		return fmt.Sprint(bits)
	}
	return fmt.Sprintf("%d,%d", bits, threads)
}

// mebibytes is the option for a caller with that much memory.
func mebibytes(n uint64) uint64 { return memory | n<<32 }

// Grid returns the callers: small takes a second or two, full minutes.
func Grid(full bool) []Caller {
	if !full {
		return []Caller{
			{Name: "static", Program: "caller-static", Options: option(0, 0), Targets: small(all)},
			{Name: "dynamic", Program: "caller-dynamic", Options: option(0, 0), Targets: []string{"forked", "static"}},
			{Name: "threads", Program: "caller-static", Options: option(ownOnly, 2), Targets: []string{"forked", "static"}},
			{Name: "go", Program: "caller-go", Options: option(ownOnly|runtimes, 0), Targets: []string{"static"}},
			{Name: unreadable, Program: "caller-static", Options: option(filter, 0), Targets: []string{"twin", "static"}},
			{Name: "user", Program: "caller-static", Options: option(user, 0), Targets: []string{"static"}},
			{Name: "child", Program: "caller-static", Options: option(child, 0), Targets: []string{"static"}},
		}
	}
	return []Caller{
		{Name: "static", Program: "caller-static", Options: option(0, 0), Targets: all},
		{Name: "dynamic", Program: "caller-dynamic", Options: option(0, 0), Targets: all},
		{Name: "pie", Program: "caller-pie", Options: option(0, 0), Targets: all},
		{Name: "threads", Program: "caller-static", Options: option(ownOnly, 3), Targets: all},
		{Name: "go", Program: "caller-go", Options: option(ownOnly|runtimes, 0), Targets: all},
		{Name: "python", Program: "caller.py", Options: option(runtimes, 0), Targets: all, Here: true},
		{Name: unreadable, Program: "caller-static", Options: option(filter, 0), Targets: all},
		{Name: "user", Program: "caller-static", Options: option(user, 0), Targets: slices.Concat(near, programs, []string{"dead_leader", "setsid"})},
		{Name: "child", Program: "caller-static", Options: option(child, 0), Targets: all},
		{Name: "20,000 fds", Program: "caller-static", Options: option(manyFDs, 0), Targets: few},
		{Name: "30,000 maps", Program: "caller-static", Options: option(manyMaps, 0), Targets: few},
		{Name: "4 GB", Program: "caller-static", Options: option(mebibytes(4096), 0), Targets: few, Here: true},
	}
}

// small leaves out the slow programs.
func small(targets []string) (out []string) {
	for _, t := range targets {
		if t != "python" && t != "node" && t != "java" {
			out = append(out, t)
		}
	}
	return out
}

// Here returns the targets that this machine has.
func here(targets []string) (out []string) {
	for _, t := range targets {
		program := map[string]string{"python": "python3", "node": "node", "java": "java"}[t]
		if program != "" {
			if _, err := exec.LookPath(program); err != nil {
				continue
			}
		}
		out = append(out, t)
	}
	return out
}

// within returns the targets that a small machine has: no interpreters.
func within(targets []string) []string { return small(targets) }

// script is the shell script that runs the callers, with their programs in dir.
func script(callers []Caller, dir string, targets func([]string) []string) string {
	var b strings.Builder
	for _, c := range callers {
		program := dir + "/" + c.Program
		if strings.HasSuffix(c.Program, ".py") {
			program = "python3 " + program
		}
		fmt.Fprintf(&b, "echo 'caller %s'\n%s %s %s %s\n", c.Name, program, dir, c.Options,
			strings.Join(targets(c.Targets), " "))
	}
	return b.String() + "echo done\n"
}
