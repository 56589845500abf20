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
//	                                it ended meanwhile: try again
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
	for range attempts {
		err = tryOnce(cursor, want, m)
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

func tryOnce(c *cursor, want int, m Maker) error {
	taken, err := c.Aim(want)
	switch {
	case err != nil:
		return err
	case taken:
		// The visitor alone moved the cursor, to its own number.
		_ = c.Restore(c.before + 1) // best effort, as documented
		if err := m.Probe(); err != nil {
			return err
		}
		return fmt.Errorf("pid %d: %w", want, unix.EEXIST)
	}
	got, err := m.Make(false)
	switch {
	case err != nil:
		_ = c.Restore(want - 1)
		return err
	case got == want:
		_ = c.Restore(want)
		return nil
	}
	if err := m.Drop(); err != nil {
		return err
	}
	return errMissed
}
