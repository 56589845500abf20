// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"cloneat-emu/cmd/cloneat-emu/stage"
)

// phase is a run of steps that the actors carry out on their own, side by side,
// each of them its own in order: nobody waits for us in between, and a member
// begins as soon as it is born. What one does must not depend on what another one
// has yet to do, unless that one makes it. So a phase ends before such a step, and
// between phases everybody waits for orders.
type phase struct {
	b      *builder
	mark   uintptr // of the memory that the lists take
	orders []order
	steps  int
	first  map[Actor]stage.Entry
	last   map[Actor]stage.Entry
	maker  map[Actor]Actor // of those who are born in this phase
	// user is who, besides itself, an actor serves as target or as a member of a
	// process group: it has to stay as it is meanwhile.
	user map[Actor]Actor
	args map[uint32]uintptr // struct cloneat_args by flags
}

// order is an entry of an actor's list.
type order struct {
	step  Step
	actor Actor
	what  string
	entry stage.Entry
}

// maxPhase is how many steps a phase has at most: the memory of the stage holds
// the lists.
const maxPhase = 4096

func (b *builder) newPhase() *phase {
	return &phase{
		b: b, mark: b.m.Mark(),
		first: map[Actor]stage.Entry{}, last: map[Actor]stage.Entry{},
		maker: map[Actor]Actor{}, user: map[Actor]Actor{}, args: map[uint32]uintptr{},
	}
}

// listable reports whether a step can be put down before the ones before it are
// carried out: all that it takes is known from the file.
func (b *builder) listable(s Step) bool {
	switch s.Op {
	case OpSession, OpGroup:
		return true
	case OpBirth:
		return s.Number != 0 && !s.NewPID && b.level(s.Actor) == b.level(s.Target)
	}
	return false
}

// fits reports whether a step can be one of this phase.
func (ph *phase) fits(s Step) bool {
	if _, used := ph.user[s.Actor]; used || ph.steps == maxPhase {
		return false
	}
	switch {
	case s.Op == OpBirth && s.Target != s.Actor:
		return ph.settled(s.Target, s.Actor) && ph.only(s.Target, s.Actor)
	case s.Op == OpGroup && s.Child != s.Actor:
		_, born := ph.maker[s.Child]
		return !born && ph.settled(s.Child, s.Actor)
	}
	return true
}

// settled reports whether an actor is there for somebody who needs it, and does
// nothing itself in this phase.
func (ph *phase) settled(a, by Actor) bool {
	maker, born := ph.maker[a]
	_, acts := ph.first[a]
	return !acts && (!born || maker == by)
}

// only reports whether nobody else uses an actor.
func (ph *phase) only(a, by Actor) bool {
	user, used := ph.user[a]
	return !used || user == by
}

// add puts a step into the phase.
func (ph *phase) add(s Step) error {
	ph.steps++
	switch s.Op {
	case OpBirth:
		return ph.birth(s)
	case OpSession:
		return ph.order(s, s.Actor, "setsid", nil, unix.SYS_SETSID)
	case OpGroup:
		if s.Child != s.Actor {
			ph.user[s.Child] = s.Actor
		}
		number := ph.b.groupNumber(s)
		return ph.order(s, s.Actor, fmt.Sprintf("setpgid(0, %d)", number), nil, unix.SYS_SETPGID, 0, uintptr(number))
	}
	return fmt.Errorf("step of kind %d in a list: %w", s.Op, errors.ErrUnsupported)
}

// order puts a call at the end of an actor's list.
func (ph *phase) order(s Step, a Actor, what string, child *stage.Task, nr uint64, args ...uintptr) error {
	e, err := ph.b.m.NewEntry(child, nr, args...)
	if err != nil {
		return err
	}
	if last, acts := ph.last[a]; acts {
		last.Then(e)
	} else {
		ph.first[a] = e
	}
	ph.last[a] = e
	ph.orders = append(ph.orders, order{s, a, what, e})
	return nil
}

// birth puts a birth down, and the child's first order if it needs a name.
func (ph *phase) birth(s Step) error {
	b := ph.b
	child := b.newTask(s.Child)
	ph.maker[s.Child] = s.Actor
	if s.Target != s.Actor {
		ph.user[s.Target] = s.Actor
	}
	nr, args, err := ph.cloneCall(s)
	if err != nil {
		return err
	}
	if err := ph.order(s, s.Actor, "birth", child, nr, args...); err != nil {
		return err
	}
	b.tasks[s.Child], b.own[s.Child] = child, s.Number
	name := b.newName(s.Actor, s.Child)
	if name == "" {
		return nil
	}
	at, err := b.m.Bytes(append([]byte(name), 0))
	if err != nil {
		return err
	}
	return ph.order(s, s.Child, "prctl(PR_SET_NAME)", nil, unix.SYS_PRCTL, unix.PR_SET_NAME, at)
}

// cloneCall is the call that makes a child, with its arguments.
func (ph *phase) cloneCall(s Step) (nr uint64, args []uintptr, err error) {
	b, flags := ph.b, ph.b.flags(s)
	if b.o.Fork {
		at, n, err := clone3Args(b.m, s.Number, flags)
		return unix.SYS_CLONE3, []uintptr{at, n}, err
	}
	target, err := b.numberFor(s.Actor, s.Target)
	if err != nil {
		return 0, nil, err
	}
	at, have := ph.args[flags]
	if !have {
		if at, err = cloneatArgs(b.m, flags); err != nil {
			return 0, nil, err
		}
		ph.args[flags] = at
	}
	return sysCloneat, []uintptr{uintptr(target), uintptr(s.Number), at}, nil
}

// run carries the phase out; told is called behind every step.
func (ph *phase) run(told func() error) error {
	b := ph.b
	defer b.m.Release(ph.mark)
	for a := range ph.maker { // they begin with it
		ph.start(a)
	}
	for a := range ph.first {
		if _, born := ph.maker[a]; !born {
			ph.start(a)
		}
	}
	for i, o := range ph.orders {
		if err := ph.finish(o); err != nil {
			return err
		}
		if i+1 < len(ph.orders) && ph.orders[i+1].step == o.step {
			continue // a birth has two if the child gets a name
		}
		if err := told(); err != nil {
			return err
		}
	}
	for a := range ph.first {
		if _, err := b.tasks[a].Finish(); errors.Is(err, stage.ErrGone) {
			return b.failed(a, "its orders", err)
		}
	}
	return nil
}

// start gives an actor its list, if it has one.
func (ph *phase) start(a Actor) {
	if first, acts := ph.first[a]; acts {
		ph.b.tasks[a].StartList(first)
	}
}

// finish waits for an order to be carried out.
func (ph *phase) finish(o order) error {
	b, t := ph.b, ph.b.tasks[o.actor]
	if !o.entry.Made() {
		if _, err := t.FinishWatched(b.stopped); err != nil && !o.entry.Made() {
			return b.failed(o.actor, o.what, err)
		}
	}
	ret, err := o.entry.Result()
	switch {
	case err == nil && o.step.Op == OpBirth && o.actor == o.step.Actor:
		b.learn(o.step, int(ret))
		return nil
	case err == nil:
		return nil
	case o.step.Op == OpBirth && o.actor == o.step.Actor:
		return b.unborn(o.step, o.step.Number, err)
	case o.step.Op == OpGroup:
		b.noGroup(o.step, b.failed(o.actor, o.what, err))
		return ph.goOn(o)
	}
	return b.failed(o.actor, o.what, err)
}

// goOn lets an actor carry out what comes behind a call that failed.
func (ph *phase) goOn(o order) error {
	t := ph.b.tasks[o.actor]
	if _, err := t.Finish(); errors.Is(err, stage.ErrGone) {
		return ph.b.failed(o.actor, o.what, err)
	}
	if next, more := o.entry.Next(); more {
		t.StartList(next)
	}
	return nil
}
