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
//	+0  where to    +8  how much, 0 at the end    +12  what was received before it
//
//	start: syscall
//	       rax < 0: end with 0
//	       rax != rdx: end
//	       r9 += 16; rsi = [r9]; edx = [r9+8]; edx == 0: end with 0
//	       rax = 45 (recvfrom); to start
//	end:   ecx = [r9+12]; rax += rcx
//	keep:  as any leg
var vectorCode = [legKeep]byte{
	0x0f, 0x05, 0x48, 0x85, 0xc0, 0x78, 0x1b, 0x48, 0x39, 0xd0, 0x75, 0x18,
	0x49, 0x83, 0xc1, 0x10, 0x49, 0x8b, 0x31, 0x41, 0x8b, 0x51, 0x08, 0x31,
	0xc0, 0x48, 0x85, 0xd2, 0x74, 0x06, 0xb0, 0x2d, 0xeb, 0xde,
	0x31, 0xc0, 0x41, 0x8b, 0x49, 0x0c, 0x48, 0x01, 0xc8, 0xeb, 0x0a,
	0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90,
}

// The list's entries, and where in one is what was received before.
const (
	pieceSize = 16
	pieceDone = 12
)

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
		if size > mostBytes || size+done > mostBytes {
			return r, nil, false
		}
		list = append(list, b[:8]...)
		list = binary.LittleEndian.AppendUint32(list, uint32(size))
		list = binary.LittleEndian.AppendUint32(list, uint32(done))
		done += size
	}
	r.Orig_rax, r.R10, r.R8, r.R9 = unix.SYS_RECVFROM, flags, 0, addr
	r.Rsi, r.Rdx = binary.LittleEndian.Uint64(list), uint64(binary.LittleEndian.Uint32(list[8:]))
	l.vector = true
	list = append(list, make([]byte, pieceDone)...)
	return r, binary.LittleEndian.AppendUint32(list, uint32(done)), true
}

// piecesDone is what a tracee with registers r in such a leg had received before the piece
// that it receives; l's own count where that cannot be read.
func (s *Stopped) piecesDone(l *leg, r Regs) int64 {
	var done [pieceSize - pieceDone]byte
	if s.peek(uintptr(r.R9)+pieceDone, done[:]) != nil {
		return l.done
	}
	return int64(binary.LittleEndian.Uint32(done[:]))
}
