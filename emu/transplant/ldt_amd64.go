// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"cloneat-emu/ptrace"
)

// The local descriptor table (modify_ldt(2)) is in mm_struct: a fork has its own copy.
// Programs that run 16-bit or 32-bit code have one.

const (
	ldtRead, ldtWrite = 0, 0x11
	ldtEntry          = 8
	ldtSize           = 8192 * ldtEntry
)

// An ldt is a table of the processor's descriptors, or empty.
type ldt []byte

// entry is the descriptor at offset i; 0 is none.
func (l ldt) entry(i int) uint64 {
	if len(l) == 0 {
		return 0
	}
	return binary.LittleEndian.Uint64(l[i:])
}

// askLDT asks whether there is one.
func askLDT(s *script, r *ptrace.Result) {
	s.ask(r, "modify_ldt", unix.SYS_MODIFY_LDT, ldtRead, s.reserve(ldtEntry), ldtEntry)
}

// hasLDT is the answer. An error of modify_ldt(2) comes as a positive number.
func (a *answers) hasLDT() bool { return a.ldt.Errno == 0 && a.ldt.Value == ldtEntry }

// readLDT reads it, if there is one.
func readLDT(s *script, a *answers) (ldt, error) {
	if !a.hasLDT() {
		return nil, nil
	}
	table := make(ldt, ldtSize)
	s.room(1, ldtSize)
	out := s.reserve(ldtSize)
	s.expect(ldtSize, "modify_ldt", 0, unix.SYS_MODIFY_LDT, ldtRead, out, ldtSize)
	s.then(func() error { return s.batch.Output(out, table) })
	return table, s.run()
}

// setLDT writes the entries that differ.
func (b *build) setLDT() error {
	if b.opt.keepsMemory() || !b.snap.own.hasLDT() && !b.own.hasLDT() {
		return nil
	}
	have, err := readLDT(b.script, b.own)
	if err != nil {
		return err
	}
	for i := 0; i < ldtSize; i += ldtEntry {
		want := b.snap.ldt.entry(i)
		if want != have.entry(i) {
			b.script.room(1, userDescSize)
			b.script.expect(0, "modify_ldt", uint64(i/ldtEntry), unix.SYS_MODIFY_LDT, ldtWrite,
				b.script.data(userDesc(uint32(i/ldtEntry), want)), userDescSize)
		}
	}
	return nil
}

const userDescSize = 16

// userDesc is the struct user_desc that makes the descriptor d, as the kernel's fill_ldt()
// does (arch/x86/include/asm/desc.h); of 0 it is the empty one.
func userDesc(entry uint32, d uint64) []byte {
	bit := func(at int) uint32 { return uint32(d>>at) & 1 }
	base := uint32(d>>16)&0xffffff | uint32(d>>56)<<24
	limit := uint32(d)&0xffff | uint32(d>>48)&0xf<<16
	flags := bit(54) | uint32(d>>42)&3<<1 | (bit(41)^1)<<3 | bit(55)<<4 | (bit(47)^1)<<5 | bit(52)<<6
	p := binary.LittleEndian.AppendUint32(nil, entry)
	for _, v := range []uint32{base, limit, flags} {
		p = binary.LittleEndian.AppendUint32(p, v)
	}
	return p
}
