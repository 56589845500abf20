// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// A call on a socket has the socket's own timeout, which is whole again whenever the call is
// made again. Where poll(2) cannot wait in its place (see waitFirst), it is made again all
// the same, in a slot that says when its time is over, and somebody has to come back then:
//
//	supervisor                        tracee
//	stops it, lets it go; Due         the call again, in a leg
//	at Due: stops it                  EINTR, in the leg
//	the timeout's own error           goes on with its program
//
// Without a supervisor the timeout begins anew.

// Due is when the tracee's call has to be ended, by an Interrupt, Begin and End at that
// time; zero if it ends by itself.
func (s *Stopped) Due() time.Time { return s.due }

// InLeg reports whether the thread waits in a leg, without a stop. One that runs may be
// about to wait there.
func InLeg(tid int) bool {
	v, err := ourVDSO()
	if err != nil {
		return false
	}
	call, err := readProc(tid, "syscall")
	if err != nil {
		return false
	}
	if bytes.HasPrefix(call, []byte("running")) {
		return true
	}
	_, last, _ := bytes.Cut(call[bytes.LastIndexByte(call, ' ')+1:], []byte("0x"))
	ip, err := strconv.ParseUint(string(bytes.TrimSpace(last)), 16, 64)
	if err != nil {
		return false
	}
	base, err := (&Stopped{TID: tid}).vdsoOf(ip, v)
	return err == nil && ip >= base+v.spare
}

// untilDue makes a leg of the program's own call, or of its rest, to be ended when it is due.
func (s *Stopped) untilDue(l *leg, next Regs, args []byte) (Regs, []byte, bool) {
	s.due = time.Now().Add(time.Duration(l.due) - monotonic())
	return next, args, true
}

// tooLate are the program's registers behind a call on a socket whose time is over;
// false if it is another.
func (s *Stopped) tooLate(l *leg, r Regs) (Regs, bool) {
	if s.leg == nil || l.done == 0 && r.Orig_rax != l.own.Orig_rax {
		return r, false
	}
	lim := s.limitOf(l.own)
	if lim.option == 0 {
		return r, false
	}
	own := l.own
	own.Rax, own.Orig_rax = uint64(-int64(lim.late)), ^uint64(0)
	if l.done > 0 {
		own.Rax = uint64(l.done)
	}
	return own, true
}

// pollTells reports whether poll(2) waits for the same as the call: not for room in the
// queue of another socket of this machine, which connect(2) or an address names.
func (s *Stopped) pollTells(r Regs) bool {
	var name [8]byte
	switch r.Orig_rax {
	case unix.SYS_CONNECT:
		name[0] = 1
	case unix.SYS_SENDTO:
		binary.LittleEndian.PutUint64(name[:], r.R8)
	case unix.SYS_SENDMSG, unix.SYS_SENDMMSG: // of the first header
		if s.peek(uintptr(r.Rsi), name[:]) != nil {
			return true
		}
	}
	return name == [8]byte{} || !s.isUnix(fdIn(r.Rdi))
}

// isUnix reports whether the tracee's fd is a socket of this machine.
func (s *Stopped) isUnix(fd int) (is bool) {
	_ = s.withFile(fd, func(own int) error {
		domain, err := unix.GetsockoptInt(own, unix.SOL_SOCKET, unix.SO_DOMAIN)
		is = err == nil && domain == unix.AF_UNIX
		return err
	})
	return is
}
