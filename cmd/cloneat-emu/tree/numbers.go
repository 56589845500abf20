// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"fmt"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
)

// creatorIsHere reports whether the creator is in our own pid namespace.
func (b *builder) creatorIsHere() bool {
	return b.o.In == "here" || b.o.In == "new" && b.tree.Root().PID == 1
}

// level is how many pid namespaces an actor is below the creator.
func (b *builder) level(a Actor) int {
	if a == Creator {
		return 0
	}
	level := 0
	if b.tree.Root().PID == 1 {
		level = 1 // the root is the init of a namespace below the creator's
	}
	if p := b.byPID[int(a)]; p != nil {
		level += len(p.NSPID)
	}
	return level
}

// numberFor is the number of a target in its caller's pid namespace, which is
// the target's own or above that.
func (b *builder) numberFor(caller, target Actor) (int, error) {
	up := b.level(target) - b.level(caller)
	if up == 0 {
		return b.ownNumber(target)
	}
	host, err := b.hostPID(target)
	if err != nil {
		return 0, err
	}
	n, err := nspid(host)
	if err != nil {
		return 0, err
	}
	if up < 0 || up >= len(n) {
		return 0, fmt.Errorf("process %d is not visible to %d: %w", target, caller, unix.ESRCH)
	}
	return n[len(n)-1-up], nil
}

// ownNumber is an actor's number in its own namespace.
func (b *builder) ownNumber(a Actor) (int, error) {
	if p := b.byPID[int(a)]; p != nil {
		return p.Own(), nil
	}
	if a == Creator {
		pid, err := b.tasks[Creator].Call(unix.SYS_GETPID)
		return int(pid), err
	}
	return b.own[a], nil
}

// hostPID is an actor's number in our own pid namespace. Who was made inside is
// looked for among the children of its parent, with all its siblings at once.
func (b *builder) hostPID(a Actor) (int, error) {
	if pid, ok := b.host[a]; ok {
		return pid, nil
	}
	p := b.byPID[int(a)]
	if p == nil {
		return 0, fmt.Errorf("process %d: %w", a, unix.ESRCH)
	}
	parent := Actor(p.PPID)
	if p == b.tree.Root() {
		parent = Creator
	}
	if err := b.lookBelow(parent); err != nil {
		return 0, err
	}
	if pid, ok := b.host[a]; ok {
		return pid, nil
	}
	return 0, fmt.Errorf("process %d is not below %d: %w", a, parent, unix.ESRCH)
}

// dead reports whether an actor can carry out no more orders, because it, or one
// that all depend on, was killed by somebody. Who cannot be found is not dead:
// who is being born may still be elsewhere in the tree.
func (b *builder) dead(a Actor) bool {
	if b.first.Gone() {
		return true
	}
	needed := []Actor{Creator}
	if a != Creator { // which outlives the tree, to reap it
		needed = append(needed, Actor(b.tree.Root().PID), a)
	}
	for _, x := range needed {
		if host, known := b.host[x]; known && exiting(host) {
			return true
		}
	}
	host, err := b.hostPID(a)
	return err == nil && exiting(host)
}

// exiting reports whether a process is on its way out, or gone.
func exiting(pid int) bool {
	d, err := proc.Open(pid)
	if err != nil {
		return proc.Gone(err)
	}
	defer func() { _ = d.Close() }()
	st, err := d.Stat()
	return proc.Gone(err) || err == nil && st.Exiting()
}

// lookBelow learns the host numbers of an actor's children.
func (b *builder) lookBelow(parent Actor) error {
	host, err := b.hostPID(parent)
	if err != nil {
		return err
	}
	found, err := childrenOf(host)
	if err != nil {
		return err
	}
	for _, p := range b.tree.Processes[1:] {
		if Actor(p.PPID) == parent {
			if pid, ok := found[b.inParent(p)]; ok {
				b.host[Actor(p.PID)] = pid
			}
		}
	}
	root := b.tree.Root()
	if pid, ok := found[root.PID]; ok && parent == Creator {
		b.host[Actor(root.PID)] = pid
	}
	return nil
}

// inParent is a process's number in its parent's pid namespace.
func (b *builder) inParent(p *Process) int {
	if above := len(b.byPID[p.PPID].NSPID); above > 0 {
		return p.NSPID[above-1]
	}
	return p.PID
}

// childrenOf maps the numbers that a process's children have in its namespace to
// those here.
func childrenOf(host int) (map[int]int, error) {
	d, err := proc.Open(host)
	if err != nil {
		return nil, err
	}
	defer func() { _ = d.Close() }()
	own, err := nspid(host)
	if err != nil {
		return nil, err
	}
	pids, err := d.Children()
	if err != nil {
		return nil, err
	}
	found := map[int]int{}
	for _, pid := range pids {
		if n, err := nspid(pid); err == nil && len(n) >= len(own) {
			found[n[len(own)-1]] = pid
		}
	}
	return found, nil
}

// nspid are a process's numbers, from our namespace down to its own.
func nspid(host int) ([]int, error) {
	d, err := proc.Open(host)
	if err != nil {
		return nil, err
	}
	defer func() { _ = d.Close() }()
	st, err := d.Status()
	if err != nil {
		return nil, err
	}
	return st.NSpid, nil
}
