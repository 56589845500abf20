// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"

	"golang.org/x/sys/unix"
)

// states are the operations that give a caller or a target something of its own.
var states = []func(*drawer){
	(*drawer).little, (*drawer).little, (*drawer).trait, (*drawer).trait, (*drawer).limit, (*drawer).identity, (*drawer).identity,
	(*drawer).place, (*drawer).files, (*drawer).files, (*drawer).memory, (*drawer).memory, (*drawer).memory, (*drawer).filter,
	(*drawer).undo, (*drawer).lock, (*drawer).setid, (*drawer).exec, (*drawer).thread, (*drawer).unshare, (*drawer).setns, (*drawer).pending,
}

// scene draws what most programs that mean something are like: a caller and a target
// below it, each with something of its own; the call; and what becomes of all three.
func (d *drawer) scene() {
	d.clone()
	caller, target := d.IntN(2), 2
	d.offspring(1 - d.IntN(2)*caller)
	for range 2 + d.IntN(8) {
		d.focus = []int{caller, caller, target}
		if len(d.ops) > 2 && d.binds(d.ops[len(d.ops)-1], target) && d.chance(80) {
			d.ops = d.ops[:len(d.ops)-1]
		}
		states[d.IntN(len(states))](d)
	}
	d.focus = nil
	if !slices.Contains(d.alive, caller) || !slices.Contains(d.alive, target) || d.full() {
		return
	}
	caller = d.threads(caller, target)
	for range 1 + d.IntN(2) {
		word0, word1 := d.fitting(d.shared[target])
		d.birth("cloneat", caller, target, name(target), d.hint(target), hex(word0), hex(word1), 8, 0)
	}
	d.focus = []int{caller, target, d.born - 1, d.born - 1}
}

// pending draws a stop, or a signal that waits.
func (d *drawer) pending() {
	actor := d.anyone()
	if d.chance(30) {
		d.add("kill", 0, name(d.focus[len(d.focus)-1]), 19)
		return
	}
	d.add("block", actor, pick(d, "0x200", "0x4a00", "0x200004200"))
	d.add(pick(d, "kill", "tkill"), actor, name(actor), pick(d, 10, 15, 34))
}

// threads draws threads: of the target, whose leader may end then, and of the caller's
// process. It returns the caller, who may be such a thread.
func (d *drawer) threads(caller, target int) int {
	if d.chance(15) {
		d.threadOf(target)
		if d.chance(60) {
			d.add("exit", target, 0)
		} else {
			d.focus = []int{d.born - 1}
			states[d.IntN(len(states))](d)
		}
	}
	if d.chance(15) {
		leader := caller
		d.threadOf(leader)
		caller = d.born - 1
		d.focus = []int{caller, caller, leader}
		for range d.IntN(4) {
			states[d.IntN(len(states))](d)
		}
		if d.chance(30) {
			d.add("exit", leader, 0)
		}
	}
	return caller
}

// offspring draws the birth of a target: for each engine of the emulator one that wants it.
func (d *drawer) offspring(parent int) {
	flags := uint32(unix.SIGCHLD)
	switch n := d.IntN(100); {
	case n < 20:
		flags |= unix.CLONE_NEWPID
	case n < 35:
		flags |= unix.CLONE_VM
	case n < 50:
		flags |= pick(d, namespaces...) &^ unix.CLONE_NEWUSER
	}
	if d.chance(25) {
		flags |= pick(d, sharable...)
	}
	d.birth("clone", parent, parent, hex(flags))
	d.shared[d.born-1] = flags & shareMask
}

// fitting draws flags that a call with another target may have.
func (d *drawer) fitting(shared uint32) (word0, word1 uint32) {
	word0 = uint32(unix.SIGCHLD) | shared&d.Uint32()
	if word0&unix.CLONE_VM == 0 {
		word0 &^= unix.CLONE_SIGHAND
	}
	for d.chance(40) {
		if d.chance(40) {
			word0 |= pick(d, namespaces...) &^ unix.CLONE_NEWUSER
		} else {
			word0 |= pick(d, harmless...)
		}
	}
	if d.chance(10) {
		word1 |= 1 << 24 // CLEAR_SIGHAND
	}
	return word0, word1
}

// binds reports that the operation keeps the target from having another's child.
func (d *drawer) binds(op Op, target int) bool {
	return op.Actor == target && slices.Contains([]string{"filter", "nnp", "bound", "keyring", "unshare", "rlimit"}, op.Name)
}
