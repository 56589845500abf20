// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"fmt"

	"cloneat-emu/emu/proc"
)

// kinds are the namespaces that a tree tells about.
var kinds = append([]proc.Kind{proc.User}, proc.Nsproxy...)

// reader holds what reading a live tree needs to know of the root.
type reader struct {
	tree  *Tree
	depth int  // pid namespaces from ours to the root's, 0: the same
	brief bool // only what a tree is compared by
	seen  map[int]bool
	ns    map[int]map[string]string
}

// Live reads the tree below a process from /proc. Processes that come or go
// meanwhile may be there or not; who lost its parent on the way is left out. What is
// there need not be what can be built ([Tree.Check]).
func Live(pid int) (*Tree, error) { return live(pid, false) }

// live is Live, or, briefly, without arguments and namespaces: half of what
// there is to read.
func live(pid int, brief bool) (*Tree, error) {
	if err := proc.Own(); err != nil {
		return nil, fmt.Errorf("tree: %w", err)
	}
	d, err := proc.Open(pid)
	if err != nil {
		return nil, fmt.Errorf("tree: %w", err)
	}
	st, err := d.Status()
	if err != nil {
		_ = d.Close()
		return nil, fmt.Errorf("tree: %w", err)
	}
	r := &reader{
		tree:  &Tree{Version: Version, Source: "proc"},
		depth: len(st.NSpid) - 1,
		brief: brief,
		seen:  map[int]bool{},
		ns:    map[int]map[string]string{},
	}
	if err := r.walk(d, 0); err != nil {
		return nil, fmt.Errorf("tree: %w", err)
	}
	r.tree.sortParentsFirst()
	return r.tree, nil
}

// walk reads a process and what is below it, and closes the directory. That a
// process is gone is no error, except for the root.
func (r *reader) walk(d *proc.Dir, parent int) error {
	defer func() { _ = d.Close() }()
	p, err := r.read(d, parent)
	if err != nil {
		if parent != 0 && proc.Gone(err) {
			return nil
		}
		return err
	}
	if r.seen[p.PID] {
		return nil // the number was another's before
	}
	r.seen[p.PID] = true
	r.tree.Processes = append(r.tree.Processes, p)
	children, err := d.Children()
	if err != nil && !proc.Gone(err) {
		return err
	}
	for _, pid := range children {
		c, err := proc.Open(pid)
		if proc.Gone(err) {
			continue
		}
		if err != nil {
			return err
		}
		if err := r.walk(c, p.PID); err != nil {
			return err
		}
	}
	return nil
}

// read makes a Process from what /proc tells.
func (r *reader) read(d *proc.Dir, parent int) (*Process, error) {
	st, err := d.Status()
	if err != nil {
		return nil, err
	}
	if len(st.NSpid) <= r.depth {
		return nil, fmt.Errorf("pid %d lives above the namespace of the root", d.PID)
	}
	p := &Process{
		PID:      st.NSpid[r.depth],
		PPID:     parent,
		PGID:     at(st.NSpgid, r.depth),
		SID:      at(st.NSsid, r.depth),
		NSPID:    st.NSpid[r.depth+1:],
		HostPIDs: st.NSpid[:r.depth],
		State:    string(st.State),
		Comm:     st.Comm,
		RSS:      st.VmRSS,
	}
	if p.Zombie() {
		// The state is the leader's. One that has exited before its threads leaves
		// a process that lives, and may have children.
		if p.Threads, err = ownThreads(d); err != nil {
			return nil, err
		}
		if len(p.Threads) > 1 {
			p.State = "S"
			return p, nil
		}
		p.Threads = nil
		return p, r.exit(d, p)
	}
	switch {
	case !r.brief:
		err = r.details(d, p, parent)
	case st.Threads > 1:
		p.Threads, err = ownThreads(d)
	default:
		p.Threads = []int{p.Own()}
	}
	if err != nil && (!proc.Gone(err) || !d.Alive()) {
		return nil, err
	}
	return p, nil
}

// exit reads how a zombie ended.
func (r *reader) exit(d *proc.Dir, p *Process) error {
	stat, err := d.Stat()
	if err == nil {
		p.Exit = stat.ExitCode
	}
	return err
}

// details reads what only a living process has. One that has begun to exit
// loses it piece by piece before it is a zombie; it is there all the same.
func (r *reader) details(d *proc.Dir, p *Process, parent int) error {
	var err error
	if p.Args, err = d.Cmdline(); err != nil {
		return err
	}
	if p.Threads, err = ownThreads(d); err != nil {
		return err
	}
	ns := map[string]string{}
	for _, k := range kinds {
		id, err := d.NS(k)
		if proc.Gone(err) {
			return err
		}
		if err == nil { // else a kind that this kernel does not have, or not ours to see
			ns[string(k)] = fmt.Sprint(id.Ino)
		}
	}
	r.ns[p.PID] = ns
	if base := r.ns[parent]; len(base) > 0 { // else the parent's are not ours to see
		p.Namespaces = differing(ns, base)
	}
	return nil
}

// ownThreads lists thread ids as the process's own pid namespace has them.
func ownThreads(d *proc.Dir) ([]int, error) {
	tids, err := d.Threads()
	if err != nil {
		return nil, err
	}
	var own []int
	for _, tid := range tids {
		t, err := d.Thread(tid)
		if proc.Gone(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		st, err := t.Status()
		_ = t.Close()
		if err == nil {
			own = append(own, st.NSpid[len(st.NSpid)-1])
		}
	}
	return own, nil
}

// differing keeps what is not the same in base; nil if nothing is left.
func differing(ns, base map[string]string) map[string]string {
	var diff map[string]string
	for k, v := range ns {
		if base[k] != v {
			if diff == nil {
				diff = map[string]string{}
			}
			diff[k] = v
		}
	}
	return diff
}

// at is the i-th number, 0 where a namespace does not show one.
func at(n []int, i int) int {
	if i < len(n) {
		return n[i]
	}
	return 0
}
