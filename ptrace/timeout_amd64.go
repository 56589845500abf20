// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// The calls whose timeout begins anew when they are made again.

// io_uring_enter's flags, and what its argument is with enterExtArg:
// struct io_uring_getevents_arg, whose last word points to a timespec.
const (
	enterGetEvents = 1 << 0
	enterExtArg    = 1 << 3
	enterAbsTimer  = 1 << 5
	enterArgSize   = 24
)

// mayRestartAfresh tells by /proc/TID/syscall whether a thread sleeps in such a
// call. read(2) and its kin on a socket are left out: what is not looked at
// beforehand restarts its time once, at the first stop.
func mayRestartAfresh(call []byte) bool {
	word, _, _ := bytes.Cut(call, []byte(" "))
	nr, err := strconv.Atoi(string(word))
	if err != nil {
		return false
	}
	switch nr {
	case unix.SYS_EPOLL_WAIT, unix.SYS_EPOLL_PWAIT, unix.SYS_EPOLL_PWAIT2, unix.SYS_PPOLL, unix.SYS_SEMTIMEDOP,
		unix.SYS_RT_SIGTIMEDWAIT, unix.SYS_IO_GETEVENTS, unix.SYS_IO_PGETEVENTS, unix.SYS_IO_URING_ENTER,
		unix.SYS_RECVFROM, unix.SYS_RECVMSG, unix.SYS_RECVMMSG, unix.SYS_ACCEPT, unix.SYS_ACCEPT4,
		unix.SYS_SENDTO, unix.SYS_SENDMSG, unix.SYS_SENDMMSG, unix.SYS_CONNECT, unix.SYS_SENDFILE, unix.SYS_SPLICE:
		return true
	}
	return false
}

// procSyscall is what /proc/TID/syscall says of a thread with these registers.
func procSyscall(r Regs) []byte {
	return fmt.Appendf(nil, "%d 0x%x 0x%x 0x%x 0x%x 0x%x 0x%x 0x%x 0x%x\n",
		r.Orig_rax, r.Rdi, r.Rsi, r.Rdx, r.R10, r.R8, r.R9, r.Rsp, r.Rip)
}

// timeout is that of the program's call r; 0 if it has none, or one that does not
// begin anew.
func (s *Stopped) timeout(r Regs) time.Duration {
	switch r.Orig_rax {
	case unix.SYS_EPOLL_WAIT, unix.SYS_EPOLL_PWAIT:
		return max(0, time.Duration(int32(r.R10))) * time.Millisecond
	case unix.SYS_IO_URING_ENTER:
		if r.R10&(enterExtArg|enterAbsTimer) != enterExtArg || r.R9 != enterArgSize {
			return 0
		}
		var arg [enterArgSize]byte
		if s.peek(uintptr(r.R8), arg[:]) != nil {
			return 0
		}
		return s.timespec(binary.LittleEndian.Uint64(arg[16:]))
	}
	if p := timespecArg(&r); p != nil {
		return s.timespec(*p)
	}
	if l := s.limitOf(r); l.option != 0 {
		return s.socketTimeout(l.fd, l.option)
	}
	return 0
}

// timespecArg is the argument that points to a relative timespec.
func timespecArg(r *Regs) *uint64 {
	switch r.Orig_rax {
	case unix.SYS_RT_SIGTIMEDWAIT, unix.SYS_PPOLL:
		return &r.Rdx
	case unix.SYS_SEMTIMEDOP, unix.SYS_EPOLL_PWAIT2:
		return &r.R10
	case unix.SYS_IO_GETEVENTS, unix.SYS_IO_PGETEVENTS:
		return &r.R8
	}
	return nil
}

// timespec reads one; 0 for none.
func (s *Stopped) timespec(addr uint64) time.Duration {
	var b [16]byte
	if addr == 0 || s.peek(uintptr(addr), b[:]) != nil {
		return 0
	}
	sec, nsec := int64(binary.LittleEndian.Uint64(b[:])), int64(binary.LittleEndian.Uint64(b[8:]))
	const century = 100 * 365 * 86400
	if sec < 0 || sec > century || nsec < 0 || nsec >= 1e9 {
		return 0
	}
	return time.Duration(sec)*time.Second + time.Duration(nsec)
}

func encodeTimespec(d time.Duration) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(d/time.Second))
	return binary.LittleEndian.AppendUint64(b, uint64(d%time.Second))
}

// within gives the call next with its args, of the leg l in the slot at addr, a timeout of
// left.
func (s *Stopped) within(l *leg, next Regs, args []byte, left time.Duration, addr uint64) (Regs, []byte, bool) {
	ts := encodeTimespec(left)
	switch next.Orig_rax {
	case unix.SYS_EPOLL_WAIT, unix.SYS_EPOLL_PWAIT:
		next.R10 = uint64((left + time.Millisecond - 1) / time.Millisecond)
		return next, nil, true
	case unix.SYS_IO_URING_ENTER:
		arg := make([]byte, enterArgSize, enterArgSize+len(ts))
		if s.peek(uintptr(next.R8), arg) != nil {
			return next, nil, false
		}
		next.R8 = addr + legArgs
		binary.LittleEndian.PutUint64(arg[16:], next.R8+enterArgSize)
		return next, append(arg, ts...), true
	}
	if p := timespecArg(&next); p != nil {
		*p = addr + legArgs
		return next, ts, true
	}
	if l.done == 0 && !l.strict && s.pollTells(l.own) {
		if first, args, ok := s.waitFirst(l, next, ts, addr); ok {
			return first, args, true
		}
	}
	return s.untilDue(l, next, args)
}

// waitFirst makes a leg for a call on a socket, whose timeout is the socket's:
// it waits for the rest of the time, and when the socket is ready the program's
// own call is made again. ppoll(2) writes into what it polls, which thus has to be on
// the tracee's stack, below the red zone; that is only done where the stack is
// known to have room, which a goroutine's has not.
func (s *Stopped) waitFirst(l *leg, next Regs, ts []byte, addr uint64) (Regs, []byte, bool) {
	lim := s.limitOf(l.own)
	events := uint64(unix.POLLIN)
	if lim.option == unix.SO_SNDTIMEO {
		events = unix.POLLOUT
	}
	const redZone = 128
	at := (next.Rsp - redZone - 8) &^ 15
	pollfd := binary.LittleEndian.AppendUint64(nil, uint64(uint32(lim.fd))|events<<32)
	if !s.onMainStack(at) || s.poke(uintptr(at), pollfd) != nil {
		return next, nil, false
	}
	l.nonneg, l.acc = legPoll, -int64(lim.late)
	next.Orig_rax = unix.SYS_PPOLL
	next.Rdi, next.Rsi, next.Rdx, next.R10, next.R8 = at, 1, addr+legArgs, 0, 8
	return next, ts, true
}

// onMainStack reports whether addr lies in the mapping that the kernel made for
// the process's first thread.
func (s *Stopped) onMainStack(addr uint64) bool {
	maps, err := os.ReadFile("/proc/" + strconv.Itoa(s.TID) + "/maps")
	if err != nil {
		return false
	}
	for line := range bytes.Lines(maps) {
		var from, to uint64
		if bytes.HasSuffix(line, []byte("[stack]\n")) {
			n, _ := fmt.Sscanf(string(line), "%x-%x ", &from, &to)
			return n == 2 && from <= addr && addr < to
		}
	}
	return false
}
