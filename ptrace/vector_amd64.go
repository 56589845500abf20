// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// The rest of a recvmsg(2) that waits for all of several pieces is received piece by piece:
// the kernel would write into a header, and a tracee cannot write into a slot. The leg's code
// begins with a loop over a list among its arguments, of which r9 points to the piece that is
// received (without an address, recvfrom(2) does not look at r9):
//
//	+0  where to    +8  how much, 0 at the end    +16  what was received before it
//
//	start: syscall
//	       rax < 0: end with 0
//	       rax != rdx: end
//	       r9 += 24; rsi = [r9]; rdx = [r9+8]; rdx == 0: end with 0
//	       rax = 45 (recvfrom); to start
//	end:   rax += [r9+16]
//	keep:  as any leg
var vectorCode = [legKeep]byte{
	0x0f, 0x05, 0x48, 0x85, 0xc0, 0x78, 0x1b, 0x48, 0x39, 0xd0, 0x75, 0x18,
	0x49, 0x83, 0xc1, 0x18, 0x49, 0x8b, 0x31, 0x49, 0x8b, 0x51, 0x08, 0x31,
	0xc0, 0x48, 0x85, 0xd2, 0x74, 0x06, 0xb0, 0x2d, 0xeb, 0xde,
	0x31, 0xc0, 0x49, 0x03, 0x41, 0x10, 0xeb, 0x0d,
	0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90,
}

const pieceDone = 16 // offset of what was received before

func isVector(b []byte) bool { return [legKeep]byte(b) == vectorCode }

// pieces makes the rest of a recvmsg(2) of what r and b are a writev(2) of.
func (l *leg) pieces(r Regs, b []byte, flags, addr uint64) (Regs, []byte, bool) {
	var list []byte
	done := uint64(l.done)
	for ; len(b) > 0; b = b[iovecSize:] {
		size := binary.LittleEndian.Uint64(b[8:])
		if size == 0 {
			continue
		}
		list = append(list, b[:iovecSize]...)
		list = binary.LittleEndian.AppendUint64(list, done)
		done += size
	}
	r.Orig_rax, r.R10, r.R8, r.R9 = unix.SYS_RECVFROM, flags, 0, addr
	r.Rsi, r.Rdx = binary.LittleEndian.Uint64(list), binary.LittleEndian.Uint64(list[8:])
	l.vector = true
	list = append(list, make([]byte, iovecSize)...)
	return r, binary.LittleEndian.AppendUint64(list, done), true
}

// piecesDone is what a tracee with registers r in such a leg had received before the piece
// that it receives; l's own count where that cannot be read.
func (s *Stopped) piecesDone(l *leg, r Regs) int64 {
	var done [8]byte
	if s.peek(uintptr(r.R9)+pieceDone, done[:]) != nil {
		return l.done
	}
	return int64(binary.LittleEndian.Uint64(done[:]))
}
