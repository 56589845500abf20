// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"time"

	"golang.org/x/sys/unix"
)

// goOn returns the registers with which the tracee goes on as if it had not
// been stopped, where the kernel does not see to that. Most calls that are
// interrupted start again by themselves, with their remaining time. These do not:
//
//   - Calls that end with EINTR on any interruption: epoll_wait, sigtimedwait,
//     semtimedop, io_getevents, accept and recv with a timeout, and others.
//   - Calls that end early with what they have done so far: write to a pipe,
//     send, recv with MSG_WAITALL, sendfile, io_getevents, io_uring_enter, ...
//
// Both are made again, without or from the start where nothing has to be
// different, else as a leg. If a signal is about to be delivered, what the call
// returned is what it has to return. Precondition: the tracee is in the interrupt stop,
// so that a signal still to be delivered is pending now.
func (s *Stopped) goOn(r Regs) Regs {
	_, in := InSyscall(r)
	at, b := s.inLeg(r)
	s.leg, s.fresh, s.freshAnnex, s.due = at, nil, nil, time.Time{}
	if !in || !cutShort(r, b != nil) {
		return r
	}
	status, err := readProc(s.TID, "status")
	if err != nil || signalWaits(status) {
		return r
	}
	l := &leg{own: r}
	if b != nil {
		l = decodeLeg(b, r)
	}
	l.strict = filtered(status)
	if l.vector {
		l.done, l.vector = s.piecesDone(l, r), false
	}
	if v := int64(r.Rax); v >= 0 {
		if !mayBePart(l.own, uint64(l.done+v)) || !s.isPart(l.own) {
			return r
		}
		l.done += v
		if v > 0 && limitsEach(l.own.Orig_rax) {
			l.due = 0
		}
	}
	if next, ok := s.nextLeg(l, r); ok {
		return next
	}
	if v := int64(r.Rax); v == -int64(unix.EINTR) || v == 0 {
		return again(r)
	}
	return r
}

// plainly is goOn for a tracee that no leg may run in: a call that ended with EINTR for
// the stop begins anew, with all of its time.
func (s *Stopped) plainly(r Regs) Regs {
	if _, in := InSyscall(r); !in || !cutShort(r, false) || int64(r.Rax) != -int64(unix.EINTR) {
		return r
	}
	if status, err := readProc(s.TID, "status"); err != nil || signalWaits(status) {
		return r
	}
	return again(r)
}

// again makes the call that r stands behind once more.
func again(r Regs) Regs {
	r.Rax, r.Orig_rax = r.Orig_rax, ^uint64(0)
	r.Rip -= syscallLen
	return r
}

// inLeg finds the slot of the leg that the tracee is in, and reads it.
func (s *Stopped) inLeg(r Regs) (*slot, []byte) {
	v, err := ourVDSO()
	if err != nil || v.size == v.spare {
		return nil, nil
	}
	base, err := s.vdsoOf(r.Rip, v)
	if err != nil {
		return nil, nil
	}
	off := int(r.Rip-base-v.spare) / guardSize * guardSize
	if off+guardSize > v.room() {
		return nil, nil
	}
	at := slotIn(uintptr(base+v.spare), v.room(), off)
	b := make([]byte, guardSize)
	if s.peek(at.addr, b) != nil || !isLeg(b) {
		return nil, nil
	}
	if r.Rip != uint64(at.addr)+syscallLen {
		return at, nil // before the call, or behind it
	}
	return at, b
}

// vdsoOf is where the tracee's vdso is, if ip may lie behind its image: the page
// offset tells most that do not.
func (s *Stopped) vdsoOf(ip uint64, v vdso) (uint64, error) {
	if ip&0xfff < v.spare&0xfff {
		return 0, errNoSlot
	}
	base, err := s.vdsoAt()
	if err == nil && ip-base-v.spare >= v.size-v.spare {
		err = errNoSlot
	}
	return base, err
}

// cutShort reports whether the result may be that of an interruption. In a leg
// it depends on the program's call, so that more is let through.
func cutShort(r Regs, inLeg bool) bool {
	v := int64(r.Rax)
	switch {
	case v == -int64(unix.EINTR):
		return true
	case v == restartNoHand:
		return r.Orig_rax == unix.SYS_IO_PGETEVENTS
	}
	return v >= 0 && (inLeg || mayBePart(r, r.Rax)) && (v > 0 || r.Orig_rax == unix.SYS_IO_URING_ENTER)
}

// nextLeg makes a leg of what is left to do, if that is not the same call.
func (s *Stopped) nextLeg(l *leg, r Regs) (Regs, bool) {
	left, timed := s.timeLeft(l, r)
	if !timed && l.done == 0 {
		return r, false
	}
	if timed && left == 0 {
		if over, ok := s.tooLate(l, r); ok {
			return over, true
		}
	}
	at := s.legSlot()
	if at == nil {
		return r, false
	}
	next, args, annex, ok := s.design(l, at, left, timed)
	if !ok || s.writeLeg(l, at, annex, args) != nil {
		return r, s.dropLeg(at)
	}
	if s.leg == nil {
		s.leg, s.fresh = at, at
	}
	next.Rax, next.Orig_rax, next.Rip = next.Orig_rax, ^uint64(0), uint64(at.addr)
	return next, true
}

// design is the call of the leg at at, and what it needs of memory: in the slot, or in
// an annex of it.
func (s *Stopped) design(l *leg, at *slot, left time.Duration, timed bool) (next Regs, args []byte, annex *slot, ok bool) {
	next, ok = l.own, true
	l.neg, l.nonneg = legKeep, legKeep
	if l.done > 0 {
		l.neg, l.nonneg, l.acc = legAcc, legAdd, l.done
		if next, args, ok = s.rest(l, uint64(at.addr)+legArgs); len(args) > at.legRoom() {
			next, args, annex, ok = s.restInAnnex(l, at)
		}
	}
	if ok && timed {
		next, args, ok = s.within(l, next, args, left, uint64(at.addr))
	}
	fits := len(args) <= at.legRoom() || annex != nil
	return next, args, annex, ok && fits && (!l.strict || next.Orig_rax == l.own.Orig_rax)
}

// restInAnnex is rest with its arguments in an annex of the leg at at.
func (s *Stopped) restInAnnex(l *leg, at *slot) (next Regs, args []byte, annex *slot, ok bool) {
	if annex = s.annex(at.addr); annex == nil {
		return l.own, nil, nil, false
	}
	next, args, ok = s.rest(l, uint64(annex.addr)+annexArgs)
	return next, args, annex, ok && len(args) <= annexRoom
}

// writeLeg writes the leg, and then the annex that it needs: see annex.
func (s *Stopped) writeLeg(l *leg, at, annex *slot, args []byte) error {
	if annex == nil {
		return s.Write(at.addr, l.encode(uint64(at.addr), s.TID, args))
	}
	if err := s.Write(at.addr, l.encode(uint64(at.addr), s.TID, nil)); err != nil {
		return err
	}
	return s.Write(annex.addr, encodeAnnex(at.addr, args))
}

// legSlot is the slot of the leg that the tracee is in, or a new one.
func (s *Stopped) legSlot() *slot {
	if s.leg != nil {
		return s.leg
	}
	at, err := s.claimSlot(lastSlot, s.markLeg)
	if err != nil {
		return nil
	}
	return at
}

// markLeg keeps others from a slot until the leg is written.
func (s *Stopped) markLeg(at *slot) error { return s.Write(at.addr, []byte{0xf4}) }

func (s *Stopped) dropLeg(at *slot) bool {
	if s.leg == nil {
		_ = at.wipe(s)
	}
	s.dropAnnex()
	return false
}

// Disturbed reports whether a tracee with registers r, which stopped for nothing
// but the supervisor, may need Begin and End to go on as if it had not.
func Disturbed(r Regs) bool {
	_, in := InSyscall(r)
	return in && cutShort(r, false)
}

// timeLeft is what is left of the call's timeout; false if it has none, or one
// that the kernel keeps.
func (s *Stopped) timeLeft(l *leg, r Regs) (time.Duration, bool) {
	now := monotonic()
	if l.due == 0 {
		total := s.timeout(l.own)
		if total <= 0 {
			return 0, false
		}
		l.due = int64(now + total - s.elapsed(r))
	}
	return max(0, time.Duration(l.due)-now), true
}

func monotonic() time.Duration {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
	return time.Duration(ts.Nano())
}
