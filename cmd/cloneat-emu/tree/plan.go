// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"fmt"
	"strconv"
)

// Actor is somebody who acts in a plan: 0 the creator, a positive number the
// member with that pid in the file, a negative one a temporary process.
type Actor int

// Creator is the parent of the root.
const Creator Actor = 0

// String names an actor to a reader of messages.
func (a Actor) String() string {
	switch {
	case a == Creator:
		return "the creator"
	case a < 0:
		return "a short-lived process"
	}
	return strconv.Itoa(int(a))
}

// Op is what a step does.
type Op int

// The operations of a plan.
const (
	// OpBirth: Actor calls cloneat(Target, Number), which makes Child.
	OpBirth Op = iota
	// OpSession: Actor calls setsid.
	OpSession
	// OpGroup: Actor joins or founds the process group of Child.
	OpGroup
	// OpAdopt: Actor adopts orphans below it from now on (PR_SET_CHILD_SUBREAPER),
	// or, with Number 0, no longer.
	OpAdopt
	// OpLeave: Child, which is temporary, exits and Actor reaps it.
	OpLeave
	// OpThread: Actor makes a thread with the id Number.
	OpThread
)

// Step is one step of a plan.
type Step struct {
	Op     Op
	Actor  Actor
	Target Actor
	Child  Actor
	// Number is the exact number that is asked for, in the target's pid
	// namespace; 0 is any that no member has.
	Number int
	// NewPID makes the child the init of a pid namespace below the target's.
	NewPID bool
}

// Plan is how to make a tree.
type Plan struct {
	Steps []Step
	// Notes say what cannot be had, and why.
	Notes []string
}

// Callers says who makes the calls.
type Callers int

const (
	// CreatorCalls: one creator for all, except where a session has to be
	// inherited: then that session's leader.
	CreatorCalls Callers = iota
	// ParentsCall: every parent that is in the right session itself. This is
	// what fork(2) with an exact pid would do, and the fastest.
	ParentsCall
)

// planner is a plan in the making. It knows of every actor what the steps so
// far have made of it.
type planner struct {
	Plan
	tree    *Tree
	callers Callers
	byPID   map[int]*Process
	parent  map[Actor]Actor
	session map[Actor]int // 0: the creator's own
	group   map[Actor]int
	born    map[Actor]bool
	temps   Actor // the last temporary one, counting down
	top     Actor // who makes what nobody else has to make
	dead    map[int]Actor
}

// NewPlan plans a tree. A root that is the init of a new pid namespace makes its
// tree from inside, unless outside is set: then the creator does, from above.
//
// Precondition: t.Check() is nil.
func NewPlan(t *Tree, callers Callers, outside bool) *Plan {
	p := &planner{
		tree: t, callers: callers, byPID: t.ByPID(),
		parent: map[Actor]Actor{}, session: map[Actor]int{}, group: map[Actor]int{},
		born: map[Actor]bool{Creator: true}, dead: map[int]Actor{},
	}
	if t.Root().PID == 1 && !outside {
		p.top = Actor(1)
	}
	p.births()
	p.dismiss()
	p.groups()
	p.threads()
	return &p.Plan
}

// note records what cannot be had.
func (p *planner) note(m *Process, format string, args ...any) {
	p.Notes = append(p.Notes, fmt.Sprintf("process %d: ", m.PID)+fmt.Sprintf(format, args...))
}

// add appends a step.
func (p *planner) add(s Step) { p.Steps = append(p.Steps, s) }

// parentOf is the actor that a member is to be the child of.
func (p *planner) parentOf(m *Process) Actor {
	if m == p.tree.Root() {
		return Creator
	}
	return Actor(m.PPID)
}

// above reports whether a is b or an ancestor of b at this point of the plan.
func (p *planner) above(a, b Actor) bool {
	for b != a && b != Creator {
		b = p.parent[b]
	}
	return b == a
}

// bear adds a birth and what the kernel makes of it: the child has its caller's
// session and process group.
func (p *planner) bear(s Step) {
	s.Op = OpBirth
	p.add(s)
	p.born[s.Child] = true
	p.parent[s.Child] = s.Target
	p.session[s.Child] = p.session[s.Actor]
	p.group[s.Child] = p.group[s.Actor]
}

// lead makes an actor the leader of a new session of its own number.
func (p *planner) lead(a Actor, number int) {
	p.add(Step{Op: OpSession, Actor: a})
	p.session[a], p.group[a] = number, number
}

// temp makes up a temporary actor.
func (p *planner) temp() Actor {
	p.temps--
	return p.temps
}

// threads adds the threads besides the leaders.
func (p *planner) threads() {
	for _, m := range p.tree.Processes {
		if len(m.Threads) > 1 && p.born[Actor(m.PID)] {
			for _, tid := range m.Threads[1:] {
				p.add(Step{Op: OpThread, Actor: Actor(m.PID), Number: tid})
			}
		}
	}
}
