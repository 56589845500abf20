// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Options say where and how a tree is made.
type Options struct {
	// In is "new" for a pid namespace of its own, "here" for ours, or the pid
	// of a process whose pid namespace it is to be in.
	In string
	// Callers says who makes the calls.
	Callers Callers
	// Outside lets the creator make everything from above a new namespace.
	Outside bool
	// Fork makes births with clone3(2) instead of the call, for comparison.
	// It needs ParentsCall.
	Fork bool
	// Light lets all members share one memory (CLONE_VM), which spares the
	// kernel, and the emulator, to make copies of it.
	Light bool
	// Payload is a shell command that every member becomes; empty: they idle.
	Payload string
	// Brief leaves arguments and namespaces out of what is read back.
	Brief bool
	// Stop, if set, ends a build that is not finished: see [StoppedError].
	Stop <-chan os.Signal
	// Progress, if set, is told how many steps of how many are done.
	Progress func(done, total int)
}

// Built is a tree that stands.
type Built struct {
	// Tree is what was made, read back from /proc.
	Tree *Tree
	// Notes say what could not be had, from the plan and the comparison.
	Notes []string

	b *builder
}

// TakenError says that somebody has a number that a member needs.
type TakenError struct {
	Number int
	Who    string
}

func (e *TakenError) Error() string {
	return fmt.Sprintf("pid %d is taken by %s", e.Number, e.Who)
}

// Unwrap makes the error an EEXIST.
func (e *TakenError) Unwrap() error { return unix.EEXIST }

// StoppedError says that a signal came before the tree stood.
type StoppedError struct{ Signal os.Signal }

func (e *StoppedError) Error() string {
	return fmt.Sprintf("%v: nothing is left of the tree", e.Signal)
}

// Build makes a tree. If it fails, nothing is left behind.
//
// Errors: [TakenError], [StoppedError]; ENOSYS in the chain if there is no cloneat.
func Build(t *Tree, o *Options) (*Built, error) { return newBuilder(t, o).run() }
