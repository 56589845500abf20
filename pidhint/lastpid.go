// SPDX-License-Identifier: Apache-2.0

package pidhint

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// LastPID is the driver by the namespace's cursor.
type LastPID struct{}

// attempts bounds the tries under a storm of forks: measured there, 57 to 79 %
// of the first ones hit, so that this many misses say something else is wrong.
const attempts = 1000

// Name is the driver's name on the command line.
func (LastPID) Name() string { return "ns_last_pid" }

// Make sets the cursor and clones until the child has the number:
//
//	we                              others in the namespace
//	is want taken? EEXIST
//	cursor = want - 1
//	                                fork: gets want
//	clone: gets want + 1
//	drop it; is want taken?         it is: EEXIST
//	                                it ended meanwhile: try again, aim lower
//
// The cursor is put back where it was, unless somebody moved it meanwhile.
func (LastPID) Make(ns Namespace, want int, m Maker) error {
	if ns.PID == nil {
		return makeFirst(want, m)
	}
	cursor, err := openCursor(ns.PID)
	if err != nil {
		return err
	}
	defer cursor.Close()
	a := aim{cursor: cursor, want: want}
	for range attempts {
		err = a.try(m)
		if !errors.Is(err, errMissed) && !errors.Is(err, errKilled) {
			return err
		}
	}
	return fmt.Errorf("pid %d: missed %d times, the last time: %w: %w", want, attempts, err, unix.EAGAIN)
}

// makeFirst makes the init of a namespace that has none: it is 1 by itself.
func makeFirst(want int, m Maker) error {
	got, err := m.Make(false)
	if err != nil || got == want {
		return err
	}
	if err := m.Drop(); err != nil {
		return err
	}
	return fmt.Errorf("pid %d: the first of a namespace is 1: %w", want, unix.EINVAL)
}

var errMissed = errors.New("another process got the number")

// aim is the state of the tries for one number.
type aim struct {
	*cursor
	want int
	lead int // how many numbers others are expected to take before the clone
}

// farLead bounds the lead: so many others in one window say that it was not
// they who moved the cursor.
const farLead = 1000

// try is one attempt. The first aims at the number itself; after a miss, as
// many numbers lower as others took before the clone, since under a storm there
// are nearly as many the next time.
func (a *aim) try(m Maker) error {
	start := max(a.want-a.lead, 1)
	taken, err := a.Aim(a.want, start)
	switch {
	case err != nil:
		return err
	case taken:
		return a.refuse(m)
	}
	got, err := m.Make(false)
	switch {
	case err != nil:
		_ = a.Restore(start - 1) // best effort, as documented
		return err
	case got == a.want:
		_ = a.Restore(got)
		return nil
	}
	if a.lead = got - start; a.lead < 0 || a.lead > farLead {
		a.lead = 0
	}
	if err := m.Drop(); err != nil {
		return err
	}
	return errMissed
}

// refuse is the end where somebody has the number. The visitor alone moved the
// cursor, to its own number.
func (a *aim) refuse(m Maker) error {
	_ = a.Restore(a.before + 1)
	if err := m.Probe(); err != nil {
		return err
	}
	return fmt.Errorf("pid %d: %w", a.want, unix.EEXIST)
}
