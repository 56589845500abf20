// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// A leg is the rest of a call of the tracee's program that was cut short by the
// supervisor: with the remaining timeout, or for the remaining bytes. It is made
// in a slot behind the vdso's image (see slot), long after the tracee was let
// go, and ends with all registers as the program's own call would leave them:
//
//	       syscall                      the rest
//	       by its result: neg or nonneg
//	poll:  > 0: the program's own call, at its own instruction
//	       0:   rax = acc
//	add:   rax += acc
//	acc:   rax = acc
//	keep:
//	       rcx, rdi, rsi, rdx, r10, r8, r9, r11 as after the program's call
//	       jmp behind it
//
// The slot cannot be freed by the tracee, which cannot write there. It is when
// somebody needs one and the call is known to be over: see legIsOver.
var legCode = [legBlock]byte{
	0x0f, 0x05, 0x48, 0x99, 0x48, 0x8d, 0x0d, 0x7d, 0x00, 0x00, 0x00, 0xff,
	0x24, 0xd1, 0x48, 0x89, 0xc1, 0xe3, 0x1d, 0x48, 0x8b, 0x05, 0x7e, 0x00,
	0x00, 0x00, 0x48, 0x8b, 0x0d, 0x7f, 0x00, 0x00, 0x00, 0xeb, 0x1b, 0x48,
	0x8b, 0x0d, 0x66, 0x00, 0x00, 0x00, 0x48, 0x8d, 0x04, 0x01, 0xeb, 0x07,
	0x48, 0x8b, 0x05, 0x59, 0x00, 0x00, 0x00, 0x48, 0x8b, 0x0d, 0x6a, 0x00,
	0x00, 0x00, 0x48, 0x8b, 0x3d, 0x6b, 0x00, 0x00, 0x00, 0x48, 0x8b, 0x35,
	0x6c, 0x00, 0x00, 0x00, 0x48, 0x8b, 0x15, 0x6d, 0x00, 0x00, 0x00, 0x4c,
	0x8b, 0x15, 0x6e, 0x00, 0x00, 0x00, 0x4c, 0x8b, 0x05, 0x6f, 0x00, 0x00,
	0x00, 0x4c, 0x8b, 0x0d, 0x70, 0x00, 0x00, 0x00, 0x4c, 0x8b, 0x1d, 0x71,
	0x00, 0x00, 0x00, 0xff, 0xe1,
}

// What a leg makes of a result, as offsets into its code.
const (
	legPoll = 0x0e
	legAdd  = 0x23
	legAcc  = 0x30
	legKeep = 0x37
)

// Offsets in a leg's slot.
const (
	legBlock = 128
	legArgs  = 272
)

// legRoom is how much the arguments of a leg in that slot may take.
func (sl *slot) legRoom() int { return sl.size - legArgs }

// legMagic marks a slot that holds a leg: no code of a guard has it there.
const legMagic = 0x63616c6c6c656721

// leg is a call of the program that is under way, and how far it is.
type leg struct {
	own         Regs  // the program's registers in its call
	done        int64 // what the call has achieved: bytes, messages, events
	due         int64 // when its timeout is over (CLOCK_MONOTONIC, ns); 0: none, or not known yet
	neg, nonneg int   // legKeep and so on
	acc         int64
	vector      bool // the code is vectorCode's
	strict      bool // no call may be made but the program's own: see filtered
}

// encode lays out the slot at addr for a leg of thread tid. args are what the
// leg's arguments point to.
func (l *leg) encode(addr uint64, tid int, args []byte) []byte {
	b := make([]byte, legArgs, guardSize)
	copy(b, legCode[:])
	if l.vector {
		copy(b, vectorCode[:])
	}
	r := l.own
	for i, v := range []uint64{
		addr + uint64(l.neg), addr + uint64(l.nonneg), uint64(l.acc),
		r.Orig_rax, r.Rip - syscallLen, r.Rip, r.Rdi, r.Rsi, r.Rdx, r.R10, r.R8, r.R9, r.Eflags,
		legMagic, uint64(tid), r.Rsp, uint64(l.due), uint64(l.done),
	} {
		binary.LittleEndian.PutUint64(b[legBlock+8*i:], v)
	}
	return append(b, args...)
}

// word is one of the values that encode lays out.
func word(b []byte, i int) uint64 { return binary.LittleEndian.Uint64(b[legBlock+8*i:]) }

func isLeg(b []byte) bool { return word(b, 13) == legMagic }

// decodeLeg reads a slot back, for the tracee whose registers in it are r.
func decodeLeg(b []byte, r Regs) *leg {
	l := &leg{own: r, due: int64(word(b, 16)), done: int64(word(b, 17)), vector: isVector(b)}
	for i, to := range []*uint64{&l.own.Orig_rax, nil, &l.own.Rip, &l.own.Rdi, &l.own.Rsi, &l.own.Rdx, &l.own.R10, &l.own.R8, &l.own.R9} {
		if to != nil {
			*to = word(b, 3+i)
		}
	}
	return l
}

// legIsOver reports whether the call whose leg is in this slot has ended, as far
// as the stopped thread with registers r can tell: its owner is gone, or has
// other memory (this is a copy of a fork's), or is the thread itself, which has the same stack pointer again without
// being in the leg. In a handler that interrupted the leg it has a lower one, or
// one on another stack.
func (s *Stopped) legIsOver(addr uintptr, b []byte, r Regs) bool {
	owner := int(word(b, 14))
	if s.leg != nil && s.leg.addr == addr {
		return false
	}
	if owner == s.TID {
		return r.Rsp == word(b, 15) && r.Rip-uint64(addr) >= guardSize
	}
	// Who shares the memory may still need it.
	const kcmpVM = 1
	differ, _, errno := unix.RawSyscall6(unix.SYS_KCMP, uintptr(owner), uintptr(s.TID), kcmpVM, 0, 0, 0)
	return errno == unix.ESRCH || errno == 0 && differ != 0
}

// dropLegs takes back the leg that this stop made.
func (s *Stopped) dropLegs() {
	if s.fresh != nil {
		_ = s.fresh.wipe(s)
		s.leg, s.fresh = nil, nil
		s.dropAnnex()
	}
}

// dropAnnex takes back the annex that this stop made.
func (s *Stopped) dropAnnex() {
	if s.freshAnnex != nil {
		_ = s.freshAnnex.wipe(s)
		s.freshAnnex = nil
	}
}
