// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"

	"cloneat-emu/cmd/cloneat-emu/stage"
	"cloneat-emu/cmd/cloneat-emu/whohas"
	"cloneat-emu/emu/proc"
)

// builder carries out a plan.
type builder struct {
	o     *Options
	tree  *Tree
	byPID map[int]*Process
	m     *stage.Machine
	cmd   *exec.Cmd
	stop  context.CancelFunc
	first *stage.Task // of the process that we started
	tasks map[Actor]*stage.Task
	// host are numbers in our own pid namespace, as far as they are known.
	host map[Actor]int
	comm map[Actor]string
	// own are the temporary ones' numbers in their own namespace.
	own   map[Actor]int
	plan  *Plan
	free  int // where to look for a number that no member has
	used  map[int]bool
	pidns proc.NSID // of the root
	pipe  *os.File  // ends when no member holds its other end
	notes []string
	// stopErr is the signal that came, nil as long as none did.
	stopErr error
}

// newBuilder makes a builder that has not begun.
func newBuilder(t *Tree, o *Options) *builder {
	return &builder{
		o: o, tree: t, byPID: t.ByPID(), tasks: map[Actor]*stage.Task{},
		comm: map[Actor]string{}, host: map[Actor]int{}, own: map[Actor]int{}, used: t.numbers(), free: 300,
	}
}

// run is Build.
func (b *builder) run() (*Built, error) {
	if err := b.check(); err != nil {
		return nil, err
	}
	b.plan = NewPlan(b.tree, b.o.Callers, b.o.Outside)
	b.notes = b.plan.Notes
	if err := b.forks(); err != nil {
		return nil, err
	}
	if err := b.begin(); err != nil {
		b.end()
		return nil, fmt.Errorf("tree: %w", err)
	}
	built, err := b.build()
	if stopped := b.stopped(); stopped != nil {
		err = stopped // what else went wrong may have come of that
	}
	if err != nil {
		b.end()
		return nil, fmt.Errorf("tree: %w", err)
	}
	return built, nil
}

// forks refuses a plan that takes more than fork, where there is to be nothing more.
func (b *builder) forks() error {
	for _, s := range b.plan.Steps {
		if b.o.Fork && s.Op == OpBirth && s.Target != s.Actor {
			return fmt.Errorf("tree: process %v cannot be made by %v, as --fork has it: its session or group has no number in there, and cloneat alone makes it from outside", s.Child, s.Target)
		}
	}
	return nil
}

// stopped is the error for a signal that came meanwhile, nil if none did.
func (b *builder) stopped() error {
	if b.stopErr == nil {
		select {
		case sig := <-b.o.Stop: // never ready if it is nil
			b.stopErr = &StoppedError{sig}
		default:
			return nil
		}
	}
	return b.stopErr
}

// check refuses what cannot work, before there is anything.
func (b *builder) check() error {
	root := b.tree.Root()
	switch {
	case root.PID == 1 && b.o.In != "new":
		return fmt.Errorf("tree: the root is pid 1, which it can be only in a new pid namespace")
	case b.o.Outside && (b.o.In != "new" || root.PID != 1):
		return fmt.Errorf("tree: making it from outside takes a root that is pid 1 in a new pid namespace")
	case b.o.Fork && b.o.Callers != ParentsCall:
		return fmt.Errorf("tree: clone3 makes children of its caller only")
	case len(b.tree.Processes)*2 > stage.MaxTasks:
		return fmt.Errorf("tree: %d processes, more than %d", len(b.tree.Processes), stage.MaxTasks/2)
	}
	return nil
}

// build carries out the plan and looks at the result.
func (b *builder) build() (*Built, error) {
	if err := b.carryOut(); err != nil {
		return nil, err
	}
	if err := b.settle(); err != nil {
		return nil, err
	}
	root, err := b.hostPID(Actor(b.tree.Root().PID))
	if err != nil {
		return nil, err
	}
	got, err := b.verify(root)
	if err != nil {
		return nil, err
	}
	return &Built{Tree: got, Notes: b.notes, b: b}, nil
}

// carryOut carries out the plan: a step that has to be waited for by itself, and
// the others in phases.
func (b *builder) carryOut() error {
	done, total := 0, len(b.plan.Steps)
	told := func() error {
		done++
		if b.o.Progress != nil {
			b.o.Progress(done, total)
		}
		return b.stopped()
	}
	if err := b.stopped(); err != nil {
		return err
	}
	for i := 0; i < total; {
		ph := b.newPhase()
		for ; i < total && b.listable(b.plan.Steps[i]) && ph.fits(b.plan.Steps[i]); i++ {
			if err := ph.add(b.plan.Steps[i]); err != nil {
				return err
			}
		}
		if err := ph.run(told); err != nil {
			return err
		}
		if ph.steps > 0 {
			continue
		}
		if err := b.step(b.plan.Steps[i]); err != nil {
			return err
		}
		i++
		if err := told(); err != nil {
			return err
		}
	}
	return nil
}

// step carries out one step that is no part of a phase.
func (b *builder) step(s Step) error {
	switch s.Op {
	case OpBirth:
		return b.birth(s)
	case OpThread:
		return b.thread(s)
	case OpAdopt:
		return b.call(s.Actor, "prctl(PR_SET_CHILD_SUBREAPER)", unix.SYS_PRCTL, unix.PR_SET_CHILD_SUBREAPER, uintptr(s.Number))
	case OpLeave:
		b.tasks[s.Child].Start(nil, unix.SYS_EXIT_GROUP, 0)
		return b.call(s.Actor, "wait4", unix.SYS_WAIT4, uintptr(b.own[s.Child]), 0, unix.WALL, 0)
	}
	return fmt.Errorf("step of kind %d: %w", s.Op, errors.ErrUnsupported)
}

// call makes one system call in an actor.
func (b *builder) call(a Actor, what string, nr uint64, args ...uintptr) error {
	if _, err := b.tasks[a].Call(nr, args...); err != nil {
		return b.failed(a, what, err)
	}
	return nil
}

// failed says in whom a call failed.
func (b *builder) failed(a Actor, what string, err error) error {
	switch {
	case errors.Is(err, stage.ErrGone):
		return fmt.Errorf("process %d: %s: it was killed by somebody else: %w", a, what, err)
	case err == b.stopErr:
		return err
	}
	return fmt.Errorf("process %d: %s: %w", a, what, err)
}

// groupNumber is the group that an actor is to join, in its own pid namespace; 0
// is a new one of its own.
func (b *builder) groupNumber(s Step) int {
	if s.Child == s.Actor {
		return 0
	}
	if leader := b.byPID[int(s.Child)]; leader != nil && leader.PID == s.Number {
		return leader.Own()
	}
	return s.Number
}

// noGroup notes that an actor could not join its group.
func (b *builder) noGroup(s Step, err error) {
	b.notes = append(b.notes, fmt.Sprintf("process %d: process group: %v", s.Actor, err))
}

// taken names who has a number that cannot be had.
func (b *builder) taken(err error, number int) error {
	if number != 0 && errors.Is(err, unix.EEXIST) {
		return &TakenError{number, whohas.Describe(b.pidns, number)}
	}
	return err
}
