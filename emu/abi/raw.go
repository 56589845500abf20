// SPDX-License-Identifier: Apache-2.0

package abi

import "encoding/binary"

// Raw is struct cloneat_args as it lies in the caller's memory. Addresses are
// the caller's, sizes are in bytes.
type Raw struct {
	Flags          uint64 // offset 0: address of the flag words
	FlagsSize      int32  // offset 8
	Reserved1      uint32 // offset 12
	Reserved2      uint32 // offset 16; 20..23 is padding that nobody reads
	ChildStackBase uint64 // offset 24: lowest address
	ChildStackSize uint64 // offset 32
	ParentTIDPtr   uint64 // offset 40
	ChildTIDPtr    uint64 // offset 48
	Reserved3      uint64 // offset 56: the TLS value with CLONE_SETTLS
}

// ParseRaw reads the struct from its bytes.
func ParseRaw(b *[ArgsSize]byte) Raw {
	le := binary.LittleEndian
	return Raw{
		Flags:          le.Uint64(b[0:]),
		FlagsSize:      int32(le.Uint32(b[8:])),
		Reserved1:      le.Uint32(b[12:]),
		Reserved2:      le.Uint32(b[16:]),
		ChildStackBase: le.Uint64(b[24:]),
		ChildStackSize: le.Uint64(b[32:]),
		ParentTIDPtr:   le.Uint64(b[40:]),
		ChildTIDPtr:    le.Uint64(b[48:]),
		Reserved3:      le.Uint64(b[56:]),
	}
}

// Bytes is the inverse of [ParseRaw]; the padding is zero.
func (r Raw) Bytes() (b [ArgsSize]byte) {
	le := binary.LittleEndian
	le.PutUint64(b[0:], r.Flags)
	le.PutUint32(b[8:], uint32(r.FlagsSize))
	le.PutUint32(b[12:], r.Reserved1)
	le.PutUint32(b[16:], r.Reserved2)
	le.PutUint64(b[24:], r.ChildStackBase)
	le.PutUint64(b[32:], r.ChildStackSize)
	le.PutUint64(b[40:], r.ParentTIDPtr)
	le.PutUint64(b[48:], r.ChildTIDPtr)
	le.PutUint64(b[56:], r.Reserved3)
	return b
}
