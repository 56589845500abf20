// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// What is left to be done of a call that ended with a part.

// rest is the call for what l has not done, and what its arguments, which will be
// at addr, consist of.
func (s *Stopped) rest(l *leg, addr uint64) (Regs, []byte, bool) {
	r, done := l.own, uint64(l.done)
	switch r.Orig_rax {
	case unix.SYS_WRITE, unix.SYS_PWRITE64, unix.SYS_READ, unix.SYS_PREAD64, unix.SYS_SENDTO, unix.SYS_RECVFROM:
		r.Rsi, r.Rdx = r.Rsi+done, r.Rdx-done
	case unix.SYS_GETRANDOM:
		r.Rdi, r.Rsi = r.Rdi+done, r.Rsi-done
	case unix.SYS_SENDFILE:
		r.R10 -= done
	case unix.SYS_SPLICE:
		r.R8 -= done
	case unix.SYS_SENDMMSG, unix.SYS_RECVMMSG:
		r.Rsi, r.Rdx = r.Rsi+done*mmsghdrSize, r.Rdx-done
	case unix.SYS_IO_GETEVENTS, unix.SYS_IO_PGETEVENTS:
		r.Rsi, r.Rdx, r.R10 = r.Rsi-done, r.Rdx-done, r.R10+done*ioEventSize
	case unix.SYS_IO_URING_ENTER:
		r.Rsi = 0 // all are submitted; what is left is the wait
	case unix.SYS_WRITEV, unix.SYS_PWRITEV, unix.SYS_PWRITEV2: // where a position means nothing
		return s.restOfVector(l, r, r.Rsi, r.Rdx, done, addr)
	case unix.SYS_READV, unix.SYS_PREADV, unix.SYS_PREADV2:
		return s.restOfReadv(l, r, done, addr)
	case unix.SYS_SENDMSG, unix.SYS_RECVMSG:
		return s.restOfMessage(l, r, done, addr)
	default:
		return r, nil, false
	}
	return r, nil, true
}

// restOfReadv makes a read(2) or readv(2) of the rest of a vector, from a file for which a
// position means nothing.
func (s *Stopped) restOfReadv(l *leg, r Regs, done, addr uint64) (Regs, []byte, bool) {
	if s.vectorSize(r.Rsi, r.Rdx) > mostBytes {
		return r, nil, false
	}
	r, b, ok := s.restOfVector(l, r, r.Rsi, r.Rdx, done, addr)
	if r.Orig_rax == unix.SYS_WRITE {
		r.Orig_rax = unix.SYS_READ
	} else {
		r.Orig_rax = unix.SYS_READV
	}
	return r, b, ok
}

// vectorSize is how many bytes a vector is for, or more than any call is good for.
func (s *Stopped) vectorSize(iov, n uint64) (size uint64) {
	b := make([]byte, min(n, maxIovecs)*iovecSize)
	if n > maxIovecs || len(b) == 0 || s.peek(uintptr(iov), b) != nil {
		return mostBytes + 1
	}
	for ; len(b) > 0; b = b[iovecSize:] {
		if size += binary.LittleEndian.Uint64(b[8:]); size > mostBytes {
			break
		}
	}
	return size
}

// restOfMessage makes a call without a message header of the rest: it has been
// filled in or used when the first part was done.
func (s *Stopped) restOfMessage(l *leg, r Regs, done, addr uint64) (Regs, []byte, bool) {
	var h [msghdrSize]byte
	if s.peek(uintptr(r.Rsi), h[:]) != nil {
		return r, nil, false
	}
	iov, n := binary.LittleEndian.Uint64(h[msghdrIov:]), binary.LittleEndian.Uint64(h[msghdrIov+8:])
	recv, flags := r.Orig_rax == unix.SYS_RECVMSG, r.Rdx
	r, b, ok := s.restOfVector(l, r, iov, n, done, addr)
	switch {
	case ok && r.Orig_rax == unix.SYS_WRITE && recv:
		r.Orig_rax = unix.SYS_RECVFROM
	case ok && r.Orig_rax == unix.SYS_WRITE:
		r.Orig_rax = unix.SYS_SENDTO
	case !ok:
		return r, nil, false
	case recv:
		return l.pieces(r, b, flags, addr)
	case flags == 0 && !l.strict:
		return r, b, true
	default:
		return message(r, b, flags, addr)
	}
	r.R10, r.R8, r.R9 = flags, 0, 0
	return r, b, true
}

// restOfVector makes a write(2) of the rest of a vector of which one piece is
// left, and a writev(2) of some more.
func (s *Stopped) restOfVector(l *leg, r Regs, iov, n, done, addr uint64) (Regs, []byte, bool) {
	if n == 0 || n > maxIovecs {
		return r, nil, false
	}
	b := make([]byte, n*iovecSize)
	if s.peek(uintptr(iov), b) != nil {
		return r, nil, false
	}
	for len(b) > iovecSize && done >= binary.LittleEndian.Uint64(b[8:]) {
		done -= binary.LittleEndian.Uint64(b[8:])
		b = b[iovecSize:]
	}
	base, size := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
	if done >= size || len(b) > annexRoom {
		return r, nil, false
	}
	base, size = base+done, size-done
	if len(b) == iovecSize && !l.strict {
		r.Orig_rax, r.Rsi, r.Rdx = unix.SYS_WRITE, base, size
		return r, nil, true
	}
	binary.LittleEndian.PutUint64(b, base)
	binary.LittleEndian.PutUint64(b[8:], size)
	r.Rsi, r.Rdx = addr, uint64(len(b)/iovecSize)
	if !l.strict || r.Orig_rax != unix.SYS_PWRITEV2 && r.Orig_rax != unix.SYS_PWRITEV { // which do the same here
		r.Orig_rax = unix.SYS_WRITEV
	}
	return r, b, true
}
