// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"fmt"
	"sort"
	"strconv"
	"strings"

	"github.com/xlab/treeprint"
)

// Text draws the tree for a terminal.
func (t *Tree) Text() string {
	children := t.Children()
	var add func(branch treeprint.Tree, p *Process)
	add = func(branch treeprint.Tree, p *Process) {
		for _, c := range children[p.PID] {
			add(branch.AddBranch(c.line()), c)
		}
	}
	top := treeprint.NewWithRoot(t.Root().line())
	add(top, t.Root())
	return top.String()
}

// line is a process in one line.
func (p *Process) line() string {
	s := fmt.Sprintf("%s  %s", p.name(), strings.Join(p.facts(), " "))
	return strings.TrimSpace(s)
}

// name is the numbers and the command's name, made safe for a terminal.
func (p *Process) name() string {
	return p.numbers() + " " + printable(p.Comm)
}

// numbers are the pids, one a namespace, outermost first.
func (p *Process) numbers() string {
	var n []string
	for _, pid := range p.HostPIDs {
		n = append(n, strconv.Itoa(pid))
	}
	n = append(n, strconv.Itoa(p.PID))
	for _, pid := range p.NSPID {
		n = append(n, strconv.Itoa(pid))
	}
	return strings.Join(n, "/")
}

// facts tell the rest, in the words of ps.
func (p *Process) facts() []string {
	f := []string{
		fmt.Sprintf("ppid=%d pgid=%d sid=%d %s", p.PPID, p.PGID, p.SID, p.State),
	}
	if n := len(p.Threads); n > 1 {
		f = append(f, fmt.Sprintf("threads=%d", n))
	}
	if p.Zombie() && p.Exit != 0 {
		f = append(f, fmt.Sprintf("exit=%#x", p.Exit))
	}
	if p.RSS > 0 {
		f = append(f, "rss="+size(p.RSS))
	}
	if p.PPID != 0 && len(p.Namespaces) > 0 {
		f = append(f, "new="+strings.Join(p.newKinds(), ","))
	}
	return f
}

// newKinds are the kinds of namespaces that differ from the parent's, sorted.
func (p *Process) newKinds() []string {
	var kinds []string
	for k := range p.Namespaces {
		kinds = append(kinds, k)
	}
	sort.Strings(kinds)
	return kinds
}

// size writes bytes in KiB or MiB.
func size(b uint64) string {
	if b < 10<<20 {
		return fmt.Sprintf("%dK", b>>10)
	}
	return fmt.Sprintf("%dM", b>>20)
}

// printable replaces what a hostile name could do to a terminal or a file.
func printable(s string) string {
	q := strconv.Quote(s)
	return q[1 : len(q)-1]
}
