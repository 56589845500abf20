// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

const (
	mostActors = 24 // MAX_ACTORS of the interpreter
	mostAlive  = 8
)

// drawer draws one program. It keeps a rough idea of the processes that there
// would be if every operation succeeded, so that most operations mean something.
type drawer struct {
	*rand.Rand
	ops    []Op
	alive  []int
	parent map[int]int
	shared map[int]uint32 // what an actor shares with its maker
	born   int
	opened map[int]int // a bit a descriptor that an actor has opened, or was born with
	focus  []int       // the actors that it is about; everybody if there are none
}

// Draw returns program n of a seed: always the same.
func Draw(seed uint64, n int) Program {
	d := &drawer{
		Rand:   rand.New(rand.NewPCG(seed, uint64(n))),
		alive:  []int{0},
		parent: map[int]int{0: -1},
		shared: map[int]uint32{},
		opened: map[int]int{},
		born:   1,
	}
	if d.chance(70) {
		d.scene()
	}
	for range 5 + d.IntN(16) {
		d.step()
	}
	return Program{Origin: fmt.Sprintf("seed %d, program %d", seed, n), Ops: d.ops}
}

// kinds are the operations and how often each is drawn.
var kinds = []struct {
	weight int
	draw   func(*drawer)
}{
	{14, (*drawer).clone},
	{34, (*drawer).cloneat},
	{7, (*drawer).exit},
	{7, (*drawer).wait},
	{5, (*drawer).unshare},
	{3, (*drawer).setns},
	{4, (*drawer).thread},
	{5, (*drawer).kill},
	{3, (*drawer).setid},
	{3, (*drawer).exec},
	{16, (*drawer).little},
	{12, (*drawer).trait},
	{4, (*drawer).limit},
	{7, (*drawer).identity},
	{5, (*drawer).place},
	{3, (*drawer).filter},
	{5, (*drawer).files},
	{12, (*drawer).memory},
	{4, (*drawer).exact},
	{3, (*drawer).undo},
	{3, (*drawer).lock},
}

// step draws one operation; a tree gets two processes first.
func (d *drawer) step() {
	if len(d.ops) < 2 {
		d.clone()
		return
	}
	total := 0
	for _, k := range kinds {
		total += k.weight
	}
	n := d.IntN(total)
	for _, k := range kinds {
		if n -= k.weight; n < 0 {
			k.draw(d)
			return
		}
	}
}

// add appends an operation of a live actor.
func (d *drawer) add(name string, actor int, args ...any) {
	op := Op{Name: name, Actor: actor, Child: -1}
	for _, a := range args {
		op.Args = append(op.Args, fmt.Sprint(a))
	}
	d.ops = append(d.ops, op)
}

// birth appends an operation that makes a child below a parent.
func (d *drawer) birth(name string, actor, parent int, args ...any) {
	d.add(name, actor, args...)
	d.ops[len(d.ops)-1].Child = d.born
	d.parent[d.born] = parent
	d.opened[d.born] = d.opened[actor]
	d.alive = append(d.alive, d.born)
	d.born++
}

// full reports that no more processes may be made.
func (d *drawer) full() bool {
	return len(d.alive) >= mostAlive || d.born >= mostActors
}

// anyone returns a live actor, mostly one that it is about.
func (d *drawer) anyone() int {
	if len(d.focus) > 0 && d.chance(75) {
		if a := pick(d, d.focus...); slices.Contains(d.alive, a) {
			return a
		}
	}
	return d.alive[d.IntN(len(d.alive))]
}

// open returns the number of a descriptor, mostly one that the actor has open.
func (d *drawer) open(actor int) int {
	fd := d.IntN(4)
	for range 8 {
		if d.opened[actor]>>fd&1 != 0 || d.chance(5) {
			break
		}
		fd = d.IntN(4)
	}
	return 10 + fd
}

// chance is true in p of 100 draws.
func (d *drawer) chance(p int) bool {
	return d.IntN(100) < p
}

// below returns a live descendant of an actor, or the actor.
func (d *drawer) below(actor int) int {
	var list []int
	for _, a := range d.alive {
		for p := d.parent[a]; p >= 0; p = d.parent[p] {
			if p == actor {
				list = append(list, a)
				break
			}
		}
	}
	if len(list) == 0 {
		return actor
	}
	return list[d.IntN(len(list))]
}

// name returns an actor's name in the interpreter's language.
func name(actor int) string {
	return fmt.Sprintf("P%d", actor)
}
