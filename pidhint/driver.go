package pidhint

import "os"

// Maker makes one child at a time.
type Maker interface {
	// Make makes the child, passing the number by set_tid or leaving it to
	// the cursor, and returns the child's number in the namespace.
	Make(setTID bool) (int, error)
	// Drop ends the child just made, which has not run, and leaves nothing.
	Drop() error
}

// Namespace is where the number counts.
type Namespace struct {
	// PID is the namespace, open (/proc/PID/ns/pid).
	PID *os.File
	// Taken reports whether a process, thread, group or session there has
	// the number.
	Taken func(number int) (bool, error)
}

// Driver makes children under exact numbers.
type Driver interface {
	Name() string
	// Make makes a child under the number want, or none at all. EEXIST says
	// that want is taken; errors of the clone itself pass through.
	Make(ns Namespace, want int, m Maker) error
}

// SetTID is the driver by clone3's set_tid.
type SetTID struct{}

// Name is the driver's name on the command line.
func (SetTID) Name() string { return "set_tid" }

// Make lets the kernel do it: alloc_pid() takes the number or fails with EEXIST.
func (SetTID) Make(_ Namespace, _ int, m Maker) error {
	_, err := m.Make(true)
	return err
}
