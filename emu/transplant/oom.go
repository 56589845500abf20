// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Beside oom_score_adj a process has a floor, below which only CAP_SYS_RESOURCE lowers it,
// and a fork inherits both. Who writes with that capability moves the floor to what is
// written (__set_oom_adj() in fs/proc/base.c): a child whose caller had raised its own,
// as anybody may, could not take that back. The floor cannot be read. C has its target's,
// which is the caller's too unless somebody with that capability set one of them.

const oomAdj = "oom_score_adj"

// goFirst makes C the one that the kernel ends while it fills its memory, if there is not
// enough: no fork would have cost the caller, or anybody, their life. Where that may not be said
// of C, it is like any other.
func (b *build) goFirst() error {
	const highest = "1000\n" // OOM_SCORE_ADJ_MAX
	own, err := readKnob(b.c.TID, oomAdj)
	if err != nil || own == "" {
		return err
	}
	b.ownOOM = own
	_ = b.setOOM(highest)
	return nil
}

// setOOMAdj gives C what the caller has, once it needs no more memory.
func (b *build) setOOMAdj() error {
	have, err := readKnob(b.c.TID, oomAdj)
	want := b.snap.knobs[oomAdj]
	if want == "" {
		want = b.ownOOM
	}
	if err != nil || want == "" || want == have {
		return err
	}
	return b.setOOM(want)
}

// setOOM writes without the capability, and with it only what is below C's floor.
func (b *build) setOOM(want string) error {
	write := func() error { return writeProc(b.c.TID, oomAdj, want) }
	err := withoutCap(unix.CAP_SYS_RESOURCE, write)
	if errors.Is(err, unix.EACCES) {
		err = write()
	}
	return err
}

// withoutCap calls do while this thread has no such capability in effect. Precondition: the
// goroutine is locked to its thread.
func withoutCap(c int, do func() error) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var own [2]unix.CapUserData
	if err := unix.Capget(&header, &own[0]); err != nil {
		return err
	}
	less := own
	less[c/32].Effective &^= 1 << (c % 32)
	if less == own {
		return do()
	}
	if err := unix.Capset(&header, &less[0]); err != nil {
		return err
	}
	return errors.Join(do(), unix.Capset(&header, &own[0]))
}
