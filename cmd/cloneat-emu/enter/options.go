// SPDX-License-Identifier: Apache-2.0

package enter

// Statuses for failures of our own, as env(1) and docker exec have them.
const (
	StatusFailed   = 125 // nothing was run
	StatusCannot   = 126 // found but not executable
	StatusNotFound = 127
)

// Options say what is to be run, and how.
type Options struct {
	Command []string
	// Hint asks for an exact pid in the target's pid namespace; 0 is any.
	Hint int
	// TargetCgroup moves the command into the target's cgroups.
	TargetCgroup bool
	// TargetUserNS makes the command join the target's user namespace too.
	// Without it the command keeps the rights of the caller.
	TargetUserNS bool
	// User is NAME, UID, and :GROUP or :GID behind it; names are the
	// container's. Empty is the caller's.
	User string
	// CapDrop are capabilities that the command can never have: names with or
	// without CAP_, or ALL.
	CapDrop []string
	// Workdir is a directory in the container; empty is the target's own.
	Workdir string
	// Env are variables NAME=VALUE, or NAME to take the caller's value, which
	// the caller's environment is changed by.
	Env []string
	// TTY gives the command a terminal of its own, out of the container's
	// devpts; Interactive passes our standard input to it.
	TTY, Interactive bool
	// Keep are descriptors besides 0, 1 and 2 that the command gets, under the
	// same numbers.
	Keep []int
}
