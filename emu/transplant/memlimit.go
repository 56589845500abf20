// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"golang.org/x/sys/unix"
)

// raiseRoom lets C have memory, as far as its hard limits go: a target may be at its
// soft ones, and C must have room for its stage. C raises them by itself, in 16 bytes
// of its copy of the target's memory; prlimit(2) from outside wants CAP_SYS_RESOURCE
// where the user is another.
func (b *build) raiseRoom() error {
	at := b.lentWords()
	if at == 0 {
		return nil
	}
	kept := make([]byte, limitSize)
	if err := b.c.Read(at, kept); err != nil {
		return err
	}
	for _, i := range []uintptr{unix.RLIMIT_AS, unix.RLIMIT_DATA} {
		if err := b.raiseSoft(i, at); err != nil {
			return err
		}
	}
	return b.c.Write(at, kept)
}

// raiseSoft sets a soft limit to the hard one.
func (b *build) raiseSoft(i, at uintptr) error {
	if _, err := b.inj.Call(unix.SYS_PRLIMIT64, 0, i, 0, at); err != nil {
		return err
	}
	l := make([]byte, limitSize)
	if err := b.c.Read(at, l); err != nil {
		return err
	}
	copy(l, l[limitSize/2:])
	if err := b.c.Write(at, l); err != nil {
		return err
	}
	_, err := b.inj.Call(unix.SYS_PRLIMIT64, 0, i, at, 0)
	return err
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
