// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// raiseRoom lets C have memory, beyond its limits where the operator may (CAP_SYS_RESOURCE),
// else as far as its hard ones go: a target may be at its soft ones, and C must have room for
// its stage. short is the answer where that is not enough, and a hard one is to blame that is
// the target's alone.
func (b *build) raiseRoom() (short, err error) {
	all := unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}
	if unix.Prlimit(b.c.TID, unix.RLIMIT_AS, &all, nil) == nil && unix.Prlimit(b.c.TID, unix.RLIMIT_DATA, &all, nil) == nil {
		return nil, nil
	}
	return b.raiseItsRoom()
}

// raiseItsRoom has C raise its soft limits by itself, in 16 bytes of its copy of the target's
// memory.
func (b *build) raiseItsRoom() (short, err error) {
	at := b.lentWords()
	if at == 0 {
		return nil, nil
	}
	kept := make([]byte, limitSize)
	if err := b.c.Read(at, kept); err != nil {
		return nil, err
	}
	for _, i := range []uintptr{unix.RLIMIT_AS, unix.RLIMIT_DATA} {
		hard, err := b.raiseSoft(i, at)
		if err != nil {
			return nil, err
		}
		if hard < b.snap.own.limits[i].Max {
			short = unsupported("the target's resource limit %d leaves its child no room, "+
				"and raising it wants CAP_SYS_RESOURCE", i)
		}
	}
	return short, b.c.Write(at, kept)
}

// raiseSoft sets a soft limit to the hard one, and returns that.
func (b *build) raiseSoft(i, at uintptr) (hard uint64, err error) {
	if _, err := b.inj.Call(unix.SYS_PRLIMIT64, 0, i, 0, at); err != nil {
		return 0, err
	}
	l := make([]byte, limitSize)
	if err := b.c.Read(at, l); err != nil {
		return 0, err
	}
	copy(l, l[limitSize/2:])
	if err := b.c.Write(at, l); err != nil {
		return 0, err
	}
	_, err = b.inj.Call(unix.SYS_PRLIMIT64, 0, i, at, 0)
	return binary.LittleEndian.Uint64(l), err
}

// lentWords is writable memory of C's alone; 0 if it has none.
func (b *build) lentWords() uintptr {
	if b.opt.ShareVM {
		return 0
	}
	for i := range b.maps {
		m := &b.maps[i]
		if m.prot&unix.PROT_WRITE != 0 && !m.shared {
			return uintptr(m.start)
		}
	}
	return 0
}
