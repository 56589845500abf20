// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"bytes"
	"errors"
	"sync"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
	"cloneat-emu/ptrace"
)

// A kernel without CONFIG_CHECKPOINT_RESTORE has no PR_SET_MM_MAP. Its prctl(2) sets one
// field of the layout at a time, and wants CAP_SYS_RESOURCE for each (prctl_set_mm() in
// kernel/sys.c); so what C has already is left alone.

// fieldsOnly reports whether this kernel is one of those.
var fieldsOnly = sync.OnceValue(func() bool {
	var size uint32
	return unix.Prctl(unix.PR_SET_MM, unix.PR_SET_MM_MAP_SIZE, addressOf(&size), 0, 0) != nil
})

// A boundary is two fields, of which the kernel never lets the first be above the second.
type boundary struct {
	low, high         uintptr // PR_SET_MM_*
	lowWant, highWant uint64
	lowHave, highHave uint64
}

// boundaries pairs what l wants with what there is.
func (l *layout) boundaries(have *layout) []boundary {
	return []boundary{
		{unix.PR_SET_MM_START_CODE, unix.PR_SET_MM_END_CODE, l.startCode, l.endCode, have.startCode, have.endCode},
		{unix.PR_SET_MM_START_DATA, unix.PR_SET_MM_END_DATA, l.startData, l.endData, have.startData, have.endData},
		{unix.PR_SET_MM_START_BRK, unix.PR_SET_MM_BRK, l.startBrk, l.brk, have.startBrk, have.brk},
		{unix.PR_SET_MM_ARG_START, unix.PR_SET_MM_ARG_END, l.argStart, l.argEnd, have.argStart, have.argEnd},
		{unix.PR_SET_MM_ENV_START, unix.PR_SET_MM_ENV_END, l.envStart, l.envEnd, have.envStart, have.envEnd},
	}
}

// setFields is what setLayout could not do, once the caller's mappings are there: the kernel
// looks for one behind each address of the stack.
func (b *build) setFields() error {
	if !fieldsOnly() {
		return nil
	}
	have, auxv, err := b.ownLayout()
	if err != nil {
		return err
	}
	want := &b.snap.layout
	for _, f := range want.boundaries(have) {
		b.setBoundary(f)
	}
	if want.startStack != have.startStack {
		b.setField(unix.PR_SET_MM_START_STACK, uintptr(want.startStack), 0)
	}
	if !bytes.Equal(auxv, b.snap.auxv) {
		b.script.room(1, len(b.snap.auxv))
		b.setField(unix.PR_SET_MM_AUXV, b.script.data(b.snap.auxv), uintptr(len(b.snap.auxv)))
	}
	err = b.script.run()
	if errors.Is(err, unix.EPERM) {
		return unsupported("this kernel has no CONFIG_CHECKPOINT_RESTORE: only a target with CAP_SYS_RESOURCE has children whose memory is described as the caller's: %v", err)
	}
	return err
}

// ownLayout is C's.
func (b *build) ownLayout() (l *layout, auxv []byte, err error) {
	var brk ptrace.Result
	b.script.ask(&brk, "brk", unix.SYS_BRK, 0)
	if err := b.script.run(); err != nil {
		return nil, nil, err
	}
	var st *proc.Stat
	if st, err = readStat(b.c.TID); err != nil {
		return nil, nil, err
	}
	is := layoutOf(st)
	is.brk = uint64(brk.Value)
	auxv, err = readProc(b.c.TID, "auxv")
	return &is, auxv, err
}

// setBoundary moves both fields in the order in which neither passes the other.
func (b *build) setBoundary(f boundary) {
	low := func() { b.setField(f.low, uintptr(f.lowWant), 0) }
	high := func() { b.setField(f.high, uintptr(f.highWant), 0) }
	switch {
	case f.lowWant == f.lowHave && f.highWant == f.highHave:
	case f.lowWant < f.highHave:
		low()
		high()
	default:
		high()
		low()
	}
}

func (b *build) setField(option, value, length uintptr) {
	b.script.add("prctl(PR_SET_MM)", uint64(option), unix.SYS_PRCTL, unix.PR_SET_MM, option, value, length, 0)
}
