// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"sync"

	"golang.org/x/sys/unix"

	"cloneat-emu/ptrace"
)

// A program registers for the fast kinds of membarrier(2), and so has its fork: the state
// is in mm_struct, which dup_mm() copies. Without, they are EPERM, and a library that
// registered when it was loaded does not expect that. Nothing but an exec takes a
// registration back: C keeps its target's.

// fastBarriers are they: the command, and that which registers for it
// (<linux/membarrier.h>: private, with SYNC_CORE, with RSEQ, global).
var fastBarriers = []struct{ use, register uintptr }{
	{1 << 3, 1 << 4}, {1 << 5, 1 << 6}, {1 << 7, 1 << 8}, {useGlobal, 1 << 2},
}

const (
	useGlobal        = 1 << 1
	getRegistrations = 1 << 9
)

// tellsBarriers reports whether the kernel tells all registrations (Linux 6.3).
var tellsBarriers = sync.OnceValue(func() bool {
	_, _, errno := unix.RawSyscall(unix.SYS_MEMBARRIER, getRegistrations, 0, 0)
	return errno == 0
})

// barriers are a process's answers about its registrations.
type barriers struct {
	all  ptrace.Result
	each [4]ptrace.Result
}

// ask asks for them. An older kernel shows them where the command works; that for all
// processes works always, and its registration cannot be seen.
func (a *barriers) ask(s *script) {
	if tellsBarriers() {
		s.ask(&a.all, "membarrier", unix.SYS_MEMBARRIER, getRegistrations, 0, 0)
		return
	}
	for i, f := range fastBarriers {
		if a.each[i].Errno = unix.EPERM; f.use != useGlobal {
			s.ask(&a.each[i], "membarrier", unix.SYS_MEMBARRIER, f.use, 0, 0)
		}
	}
}

// registered is the sum of the commands that registered.
func (a *barriers) registered() uintptr {
	if tellsBarriers() {
		return a.all.Value
	}
	sum := uintptr(0)
	for i, f := range fastBarriers {
		if a.each[i].Errno == 0 {
			sum |= f.register
		}
	}
	return sum
}

// setBarriers registers C for what the caller is registered for.
func (b *build) setBarriers() {
	if b.opt.keepsMemory() {
		return
	}
	missing := b.snap.own.barriers.registered() &^ b.own.barriers.registered()
	for _, f := range fastBarriers {
		if missing&f.register != 0 {
			b.script.add("membarrier", uint64(f.register), unix.SYS_MEMBARRIER, f.register, 0, 0)
		}
	}
}
