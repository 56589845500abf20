// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
)

// A process that is part of the way to a disk says so by PR_SET_IO_FLUSHER. Asking about
// it takes CAP_SYS_RESOURCE, which a process may have given up since: the flags of the
// thread show it to all.

// flusher reports whether a thread has what prctl(PR_SET_IO_FLUSHER) sets.
func flusher(st *proc.Stat) bool { return st.Flags&proc.PFIOFlusher == proc.PFIOFlusher }

// flushState is what is known about C.
type flushState struct{ known, is bool }

// otherFlusher reports whether C is to become one, or not to be one any more. An exec
// leaves the mark.
func (b *build) otherFlusher(*credentials) (bool, error) {
	if !b.flushes.known {
		st, err := readStat(b.c.TID)
		if err != nil {
			return false, err
		}
		b.flushes = flushState{true, flusher(st)}
	}
	return b.flushes.is != b.snap.flusher, nil
}

func (b *build) setFlusher() error {
	other, err := b.otherFlusher(nil)
	if !other {
		return err
	}
	v := uintptr(0)
	if b.snap.flusher {
		v = 1
	}
	b.script.add("prctl(PR_SET_IO_FLUSHER)", 0, unix.SYS_PRCTL, unix.PR_SET_IO_FLUSHER, v, 0, 0, 0)
	return nil
}
