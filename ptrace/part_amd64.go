// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"bytes"
	"encoding/binary"
	"strconv"

	"golang.org/x/sys/unix"
)

// The calls that end early, with a part of what they were asked for.

// Sizes of struct mmsghdr, struct io_event, struct iovec and struct msghdr.
const (
	mmsghdrSize  = 64
	ioEventSize  = 32
	iovecSize    = 16
	msghdrSize   = 56
	msghdrIov    = 16 // msg_iov, msg_iovlen
	maxIovecs    = 1024
	mostBytes    = 0x7ffff000 // MAX_RW_COUNT: no call reads or writes more
	noWaitForAll = unix.MSG_DONTWAIT | unix.MSG_WAITFORONE
)

// mayBePart reports whether r's call can be one that achieved v, and was to
// achieve more.
func mayBePart(r Regs, v uint64) bool {
	switch r.Orig_rax {
	case unix.SYS_WRITE, unix.SYS_PWRITE64:
		return v < r.Rdx
	case unix.SYS_READ, unix.SYS_PREAD64:
		return v < r.Rdx && r.Rdx <= mostBytes
	case unix.SYS_GETRANDOM:
		return v < r.Rsi
	case unix.SYS_SENDTO:
		return r.R10&unix.MSG_DONTWAIT == 0 && v < r.Rdx
	case unix.SYS_SENDFILE:
		return v < r.R10
	case unix.SYS_SPLICE:
		return v < r.R8
	case unix.SYS_RECVFROM:
		return waitsForAll(r.R10) && v < r.Rdx
	case unix.SYS_RECVMSG:
		return waitsForAll(r.Rdx)
	case unix.SYS_WRITEV, unix.SYS_READV, unix.SYS_PREADV, unix.SYS_PREADV2, unix.SYS_PWRITEV:
		return true
	case unix.SYS_PWRITEV2:
		return r.R9&unix.RWF_NOWAIT == 0
	case unix.SYS_SENDMSG:
		return r.Rdx&unix.MSG_DONTWAIT == 0
	case unix.SYS_SENDMMSG, unix.SYS_RECVMMSG:
		return r.R10&noWaitForAll == 0 && v < r.Rdx
	case unix.SYS_IO_GETEVENTS, unix.SYS_IO_PGETEVENTS:
		return v < r.Rsi
	case unix.SYS_IO_URING_ENTER:
		return r.R10&enterGetEvents != 0 && r.Rdx > 0
	}
	return false
}

func waitsForAll(flags uint64) bool {
	return flags&(unix.MSG_WAITALL|unix.MSG_PEEK|unix.MSG_DONTWAIT) == unix.MSG_WAITALL
}

// isPart reports whether r's call was cut short by its interruption, as far as
// its kind of file tells: a pipe, a socket or a terminal takes everything in the
// end, and a device that has no end gives all that is asked for. What is copied to a regular
// file may be short for other reasons, by which a second call would do more than the first one
// was to: its limits (RLIMIT_FSIZE), or the size that the source had.
func (s *Stopped) isPart(r Regs) bool {
	switch r.Orig_rax {
	case unix.SYS_SENDFILE:
		return s.takesFile(int(int32(r.Rdi)), int(int32(r.Rsi)))
	case unix.SYS_WRITE, unix.SYS_WRITEV, unix.SYS_PWRITE64, unix.SYS_PWRITEV, unix.SYS_PWRITEV2,
		unix.SYS_READ, unix.SYS_PREAD64, unix.SYS_READV, unix.SYS_PREADV, unix.SYS_PREADV2:
		st, err := s.statFD(int(int32(r.Rdi)))
		return err == nil && completes(r, &st)
	case unix.SYS_SPLICE: // into a socket, which takes all that the pipe has
		return s.isSocket(int(int32(r.Rdx))) && s.pipeHolds(int(int32(r.Rdi)))
	case unix.SYS_IO_URING_ENTER:
		return s.ringWaits(int(r.Rdi), r.Rdx)
	case unix.SYS_RECVMMSG:
		s.forgetError(int(r.Rdi))
	}
	return true
}

// takesFile reports whether a sendfile(2) goes on to the end of what it sends. A pipe takes what
// finds room (splice_file_to_pipe).
func (s *Stopped) takesFile(to, from int) bool {
	out, err := s.statFD(to)
	if kind := out.Mode & unix.S_IFMT; err != nil || kind != unix.S_IFSOCK && kind != unix.S_IFCHR {
		return false
	}
	in, err := s.statFD(from)
	if kind := in.Mode & unix.S_IFMT; kind != unix.S_IFCHR {
		return err == nil && (kind == unix.S_IFREG || kind == unix.S_IFBLK)
	}
	return err == nil && endless(in.Rdev)
}

// completes reports whether such a call on such a file is short for a signal alone.
func completes(r Regs, st *unix.Stat_t) bool {
	const nowhere = ^uint64(0) // pwritev2(2) then is writev(2)
	kind := st.Mode & unix.S_IFMT
	if nr := r.Orig_rax; nr == unix.SYS_WRITE || nr == unix.SYS_WRITEV || nr == unix.SYS_PWRITEV2 && r.R10 == nowhere {
		return kind == unix.S_IFSOCK || kind == unix.S_IFIFO || kind == unix.S_IFCHR
	}
	return kind == unix.S_IFCHR && endless(st.Rdev)
}

// endless is true of /dev/zero, full, random and urandom (drivers/char/mem.c).
func endless(device uint64) bool {
	const memory = 1
	if unix.Major(device) != memory {
		return false
	}
	switch unix.Minor(device) {
	case 5, 7, 8, 9:
		return true
	}
	return false
}

// forgetError clears the error that a recvmmsg(2) which was cut short leaves for
// the next call (kernel: __sys_recvmmsg puts even ERESTARTSYS into sk_err).
func (s *Stopped) forgetError(fd int) {
	_ = s.withFile(fd, func(own int) error {
		_, err := unix.GetsockoptInt(own, unix.SOL_SOCKET, unix.SO_ERROR)
		return err
	})
}

// pipeHolds reports whether there is anything in the pipe that the tracee's fd reads from.
func (s *Stopped) pipeHolds(fd int) (holds bool) {
	_ = s.withFile(fd, func(own int) error {
		n, err := unix.IoctlGetInt(own, unix.TIOCINQ)
		holds = n > 0
		return err
	})
	return holds
}

// ringWaits reports whether fewer than least completions are there.
func (s *Stopped) ringWaits(fd int, least uint64) bool {
	b, err := readProc(s.TID, "fdinfo/"+strconv.Itoa(fd))
	if err != nil {
		return false
	}
	head, ok1 := ringField(b, "\nCqHead:")
	tail, ok2 := ringField(b, "\nCqTail:")
	return ok1 && ok2 && uint64(tail-head) < least
}

func ringField(b []byte, name string) (uint32, bool) {
	_, rest, _ := bytes.Cut(b, []byte(name))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	v, err := strconv.ParseUint(string(bytes.TrimSpace(line)), 10, 32)
	return uint32(v), err == nil
}

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
