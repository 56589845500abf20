// SPDX-License-Identifier: Apache-2.0

package pidhint

import (
	"fmt"
	"os"
)

// Maker makes one child at a time.
type Maker interface {
	// Make makes the child, passing the number by set_tid or leaving it to
	// the cursor, and returns the child's number in the namespace.
	Make(setTID bool) (int, error)
	// Drop ends the child just made, which has not run, and leaves nothing.
	Drop() error
	// Probe returns the error that the clone meets before its number is looked
	// for, nil if there is none. It makes no child and takes no number.
	Probe() error
}

// Namespace is where the number counts.
type Namespace struct {
	// PID is the namespace, open (/proc/PID/ns/pid), or nil for one that has
	// no init yet, which cannot be opened.
	PID *os.File
}

// Driver makes children under exact numbers.
type Driver interface {
	Name() string
	// Make makes a child under the number want, or none at all. EEXIST says
	// that want is taken; errors of the clone itself pass through. An
	// [Unusable] says that the driver cannot work here.
	Make(ns Namespace, want int, m Maker) error
}

// Unusable is the error of a driver that this kernel or these rights do not
// allow.
type Unusable struct{ Cause string }

// Error implements error.
func (u *Unusable) Error() string { return u.Cause }

func unusable(format string, args ...any) error { return &Unusable{fmt.Sprintf(format, args...)} }

// SetTID is the driver by clone3's set_tid.
type SetTID struct{}

// Name is the driver's name on the command line.
func (SetTID) Name() string { return "set_tid" }

// Make lets the kernel do it: alloc_pid() takes the number or fails with EEXIST.
func (SetTID) Make(_ Namespace, _ int, m Maker) error {
	_, err := m.Make(true)
	return err
}
