// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// The arguments of a leg that do not fit behind it lie in a slot of their own, its annex:
//
//	+0    a mark
//	+8    the leg's slot
//	+16   the arguments
//
// It is free when the leg is.
const (
	annexMagic = 0x636e61656e6e6178
	annexArgs  = 16
	annexRoom  = guardSize - annexArgs
)

func isAnnex(b []byte) bool { return binary.LittleEndian.Uint64(b) == annexMagic }

// annexOf is the slot whose annex b is.
func annexOf(b []byte) uintptr { return uintptr(binary.LittleEndian.Uint64(b[8:])) }

// annex is the annex of the leg that is being made at that address: the one that it had
// before, or a new one. It marks no annex before it is written, so that nobody who shares
// the memory finds one without its leg.
func (s *Stopped) annex(leg uintptr) *slot {
	start, all, err := s.slotRoom()
	if err != nil || s.peek(start, all) != nil {
		return nil
	}
	for off := 0; off+guardSize <= len(all); off += guardSize {
		if b := all[off:]; isAnnex(b) && annexOf(b) == leg {
			return slotIn(start, len(all), off)
		}
	}
	at, err := s.claimSlot(lastSlot, s.markLeg)
	if err != nil {
		return nil
	}
	s.freshAnnex = at
	return at
}

func encodeAnnex(leg uintptr, args []byte) []byte {
	b := binary.LittleEndian.AppendUint64(nil, annexMagic)
	b = binary.LittleEndian.AppendUint64(b, uint64(leg))
	return append(b, args...)
}

// message makes a sendmsg(2), with flags, of the vector that r and b are a writev(2) of:
// a header without anything but the vector, which comes behind it.
func message(r Regs, b []byte, flags, addr uint64) (Regs, []byte, bool) {
	h := make([]byte, msghdrSize, msghdrSize+len(b))
	binary.LittleEndian.PutUint64(h[msghdrIov:], addr+msghdrSize)
	binary.LittleEndian.PutUint64(h[msghdrIov+8:], uint64(len(b)/iovecSize))
	r.Orig_rax, r.Rsi, r.Rdx = unix.SYS_SENDMSG, addr, flags
	return r, append(h, b...), true
}
