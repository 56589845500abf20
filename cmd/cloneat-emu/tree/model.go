// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"fmt"
	"slices"
	"sort"

	"cloneat-emu/emu/proc"
)

// Version is the version of the file form that this package writes.
const Version = 1

// Tree is a tree of processes. The numbers PID, PPID, PGID and SID are those of
// the root's own pid namespace; 0 stands for what is not visible there.
type Tree struct {
	// Version is that of the file form.
	Version int `json:"version"`
	// Source says where the tree was read: "proc" or "criu".
	Source string `json:"source,omitempty"`
	// Processes hold the root first and every parent before its children.
	Processes []*Process `json:"processes"`
}

// Process is one member of a tree.
type Process struct {
	PID  int `json:"pid"`
	PPID int `json:"ppid"`
	PGID int `json:"pgid"`
	SID  int `json:"sid"`
	// NSPID are the numbers in the pid namespaces below the root's, outermost
	// first; empty for a process in the root's namespace.
	NSPID []int `json:"nspid,omitempty"`
	// HostPIDs are the numbers in the namespaces above the root's, the
	// reader's own first. They only tell; nothing is built from them.
	HostPIDs []int `json:"hostPids,omitempty"`
	// Threads are the thread ids in the process's own pid namespace, the
	// leader first; empty for a zombie.
	Threads []int `json:"threads,omitempty"`
	// State is the letter of proc(5): R, S, D, T, t, Z, I.
	State string `json:"state"`
	// Exit is the wait(2) status of a zombie.
	Exit int      `json:"exit,omitempty"`
	Comm string   `json:"comm,omitempty"`
	Args []string `json:"args,omitempty"`
	// RSS is the resident memory in bytes, 0 if unknown.
	RSS uint64 `json:"rss,omitempty"`
	// Namespaces are those that differ from the parent's, for the root all
	// that are known: the kind and an identity that only compares.
	Namespaces map[string]string `json:"namespaces,omitempty"`
}

// Zombie reports whether the process has exited and waits to be reaped.
func (p *Process) Zombie() bool { return p.State == "Z" || p.State == "X" }

// Own is the number in the process's own pid namespace.
func (p *Process) Own() int {
	if n := len(p.NSPID); n > 0 {
		return p.NSPID[n-1]
	}
	return p.PID
}

// Root is the topmost process.
func (t *Tree) Root() *Process { return t.Processes[0] }

// ByPID indexes the processes.
func (t *Tree) ByPID() map[int]*Process {
	m := make(map[int]*Process, len(t.Processes))
	for _, p := range t.Processes {
		m[p.PID] = p
	}
	return m
}

// Children maps a pid to the children, by ascending pid.
func (t *Tree) Children() map[int][]*Process {
	m := map[int][]*Process{}
	for _, p := range t.Processes[1:] {
		m[p.PPID] = append(m[p.PPID], p)
	}
	for _, c := range m {
		sort.Slice(c, func(i, j int) bool { return c[i].PID < c[j].PID })
	}
	return m
}

// numbers are all that a tree needs in any namespace.
func (t *Tree) numbers() map[int]bool {
	used := map[int]bool{}
	for _, p := range t.Processes {
		used[p.PID], used[p.PGID], used[p.SID] = true, true, true
		for _, n := range p.NSPID {
			used[n] = true
		}
		for _, tid := range p.Threads {
			used[tid] = true
		}
	}
	return used
}

// sortParentsFirst puts the processes into the order that [Tree] promises.
// Precondition: the tree is connected.
func (t *Tree) sortParentsFirst() {
	children := t.Children()
	order := []*Process{t.Root()}
	for i := 0; i < len(order); i++ {
		order = append(order, children[order[i].PID]...)
	}
	t.Processes = order
}

// Check tells what is wrong with a tree that came from outside.
func (t *Tree) Check() error {
	if t.Version != Version {
		return fmt.Errorf("tree: version %d, this program reads %d", t.Version, Version)
	}
	if len(t.Processes) == 0 {
		return fmt.Errorf("tree: no processes")
	}
	seen := map[int]*Process{}
	for i, p := range t.Processes {
		if err := p.check(i == 0, seen); err != nil {
			return fmt.Errorf("tree: process %d (number %d in the list): %w", p.PID, i+1, err)
		}
		seen[p.PID] = p
	}
	return t.checkThreads()
}

// host is the number in the reader's own pid namespace.
func (p *Process) host() int { return append(p.HostPIDs, p.PID)[0] }

// check judges one process; those before it in the list are in seen.
func (p *Process) check(root bool, seen map[int]*Process) error {
	parent := seen[p.PPID]
	for _, n := range slices.Concat([]int{p.PID}, p.NSPID, p.Threads) {
		if n <= 0 || n >= proc.PIDLimit {
			return fmt.Errorf("%d is no pid, which is positive and below %d", n, proc.PIDLimit)
		}
	}
	switch {
	case p.PGID < 0 || p.SID < 0 || p.PGID >= proc.PIDLimit || p.SID >= proc.PIDLimit:
		return fmt.Errorf("pgid %d, sid %d: must not be negative, and below %d", p.PGID, p.SID, proc.PIDLimit)
	case seen[p.PID] != nil:
		return fmt.Errorf("pid is there twice")
	case !root && parent == nil:
		return fmt.Errorf("parent %d does not come before it", p.PPID)
	case !root && parent.Zombie():
		return fmt.Errorf("parent %d is a zombie, and those have no children", p.PPID)
	case p.SID == p.PID && p.PGID != p.PID:
		return fmt.Errorf("leads session %d but is in group %d", p.SID, p.PGID)
	case len(p.State) != 1:
		return fmt.Errorf("state %q is not one letter", p.State)
	case len(p.Threads) > 0 && p.Threads[0] != p.Own():
		return fmt.Errorf("first thread is %d, not the leader %d", p.Threads[0], p.Own())
	}
	if parent != nil {
		return p.checkNesting(parent)
	}
	return nil
}

// checkNesting holds the numbers in nested namespaces against the parent's.
func (p *Process) checkNesting(parent *Process) error {
	switch d := len(p.NSPID) - len(parent.NSPID); {
	case d < 0:
		return fmt.Errorf("lives in %d nested pid namespaces, its parent in %d", len(p.NSPID), len(parent.NSPID))
	case d > 1 || d == 1 && p.Own() != 1:
		return fmt.Errorf("nspid %v: a process that enters one namespace below its parent's is 1 there", p.NSPID)
	}
	return nil
}

// checkThreads finds numbers used twice in the root's namespace.
func (t *Tree) checkThreads() error {
	pids := t.ByPID()
	for _, p := range t.Processes {
		if len(p.NSPID) > 0 || len(p.Threads) == 0 {
			continue
		}
		for _, tid := range p.Threads[1:] {
			if other := pids[tid]; other != nil {
				return fmt.Errorf("tree: thread %d of process %d has the number of a process", tid, p.PID)
			}
			pids[tid] = p
		}
	}
	return nil
}
