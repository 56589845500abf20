// SPDX-License-Identifier: Apache-2.0

package launch

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Kept is what execve(2) leaves a process and fork(2) does not hand down: what starts the front
// meant it for the program.
type Kept struct {
	ParentDeath int  // PR_SET_PDEATHSIG
	Reaper      bool // PR_SET_CHILD_SUBREAPER
}

// kept is asked for before main, on the main thread: a parent-death signal is a thread's.
var kept = keptNow()

// InheritedKept is what this process was started with. A parent-death signal comes to the front,
// which passes it on as any other. If it is SIGKILL, the front is gone by that, and the program's
// own parent, the keeper, soon after it.
func InheritedKept() Kept { return kept }

func keptNow() (k Kept) {
	var sig, reaper int32
	if prctlInt(unix.PR_GET_PDEATHSIG, &sig) == nil {
		k.ParentDeath = int(sig)
	}
	if prctlInt(unix.PR_GET_CHILD_SUBREAPER, &reaper) == nil {
		k.Reaper = reaper != 0
	}
	return k
}

// set is called on the thread that is to be the program.
func (k Kept) set() error {
	if k.ParentDeath != 0 {
		if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(k.ParentDeath), 0, 0, 0); err != nil {
			return fmt.Errorf("parent-death signal %d: %w", k.ParentDeath, err)
		}
	}
	if k.Reaper {
		if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
			return fmt.Errorf("child subreaper: %w", err)
		}
	}
	return nil
}
