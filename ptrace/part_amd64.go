// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"bytes"
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
		return r.R10&noWaitForAll == 0 && v < uint64(uint32(r.Rdx))
	case unix.SYS_IO_GETEVENTS, unix.SYS_IO_PGETEVENTS:
		return v < r.Rsi
	case unix.SYS_IO_URING_ENTER:
		return r.R10&enterGetEvents != 0 && uint32(r.Rdx) > 0
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
		return s.takesFile(fdIn(r.Rdi), fdIn(r.Rsi))
	case unix.SYS_WRITE, unix.SYS_WRITEV, unix.SYS_PWRITE64, unix.SYS_PWRITEV, unix.SYS_PWRITEV2,
		unix.SYS_READ, unix.SYS_PREAD64, unix.SYS_READV, unix.SYS_PREADV, unix.SYS_PREADV2:
		st, err := s.statFD(fdIn(r.Rdi))
		return err == nil && completes(r, &st)
	case unix.SYS_SPLICE: // into a socket, which takes all that the pipe has
		return s.isSocket(fdIn(r.Rdx)) && s.pipeHolds(fdIn(r.Rdi))
	case unix.SYS_IO_URING_ENTER:
		return s.ringWaits(fdIn(r.Rdi), uint32(r.Rdx))
	case unix.SYS_RECVMMSG:
		s.forgetError(fdIn(r.Rdi))
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
func (s *Stopped) ringWaits(fd int, least uint32) bool {
	b, err := readProc(s.TID, "fdinfo/"+strconv.Itoa(fd))
	if err != nil {
		return false
	}
	head, ok1 := ringField(b, "\nCqHead:")
	tail, ok2 := ringField(b, "\nCqTail:")
	return ok1 && ok2 && tail-head < least
}

func ringField(b []byte, name string) (uint32, bool) {
	_, rest, _ := bytes.Cut(b, []byte(name))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	v, err := strconv.ParseUint(string(bytes.TrimSpace(line)), 10, 32)
	return uint32(v), err == nil
}
