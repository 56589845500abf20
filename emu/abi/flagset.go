// SPDX-License-Identifier: Apache-2.0

package abi

import (
	"encoding/binary"
	"math/bits"

	"golang.org/x/sys/unix"
)

// Bit indices into the flag words. A classic CLONE_X has the index
// ExtBase + log2(CLONE_X) - 8, see [Ext]; these do not follow from it or
// are worth a name.
const (
	ExtBase         = 0x20
	ExtVM           = 0x20
	ExtFS           = 0x21
	ExtFiles        = 0x22
	ExtIO           = 0x37 // the last classic bit
	ExtClearSighand = 0x38 // as clone3's CLONE_CLEAR_SIGHAND
	ExtIntoCgroup   = 0x39 // kept free: EINVAL, the struct has no field for it
	ExtNewTime      = 0x3f // the formula would put it on CLONE_IO's bit
)

const (
	wordBits     = 32
	wordBytes    = 4
	maxFlagBytes = 4096
	signalMask   = 0xff // CSIGNAL
)

// Ext returns the bit index of a flag of clone3(2) that is a single bit.
func Ext(flag uint64) int {
	if flag == unix.CLONE_NEWTIME {
		return ExtNewTime
	}
	return ExtBase + bits.TrailingZeros64(flag) - 8
}

// FlagSet is the array of flag words, as CLONE_SET and its like see it. Word 0
// may be assigned the classic mask and exit signal.
type FlagSet []uint32

// NewFlagSet returns an empty set of the size of clone_flag_set_t: two words.
func NewFlagSet() FlagSet { return make(FlagSet, 2) }

// Set is CLONE_SET. The index must lie within the set.
func (s FlagSet) Set(index int) { s[index/wordBits] |= 1 << (index % wordBits) }

// Clr is CLONE_CLR. The index must lie within the set.
func (s FlagSet) Clr(index int) { s[index/wordBits] &^= 1 << (index % wordBits) }

// IsSet is CLONE_ISSET. The index must lie within the set.
func (s FlagSet) IsSet(index int) bool { return s[index/wordBits]>>(index%wordBits)&1 != 0 }

// Bytes returns the words as they lie in memory.
func (s FlagSet) Bytes() []byte {
	var b []byte
	for _, w := range s {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	return b
}

func parseFlagSet(b []byte) FlagSet {
	s := make(FlagSet, max(2, len(b)/wordBytes)) // missing words count as 0
	for i := 0; i < len(b)/wordBytes; i++ {
		s[i] = binary.LittleEndian.Uint32(b[i*wordBytes:])
	}
	return s
}

// classic is what word 1 may say in the bits of word 0, moved 8 down.
const classic = 1<<(wordBits-8) - 1

// normalise brings both words into clone3's mask and splits off the exit
// signal. It reports whether all set bits are defined.
func (s FlagSet) normalise() (flags uint64, signal int, ok bool) {
	signal = int(s[0] & signalMask)
	flags = uint64(s[0]&^signalMask) | uint64(s[1]&classic)<<8
	rest := s[1] &^ classic
	for _, x := range []struct {
		index int
		flag  uint64
	}{
		{ExtClearSighand, unix.CLONE_CLEAR_SIGHAND},
		{ExtNewTime, unix.CLONE_NEWTIME},
	} {
		if s.IsSet(x.index) {
			flags |= x.flag
			rest &^= 1 << (x.index % wordBits)
		}
	}
	for _, w := range s[2:] {
		rest |= w
	}
	return flags, signal, rest == 0
}
