// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"encoding/binary"
	"errors"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// A slot is a little memory in the tracee for an injected call: the code that
// it runs in and the call's arguments. It lies in the zero bytes behind the
// image of the vdso: every process has them mapped, readable and executable,
// and nothing uses them. The stack is no such place: below the red zone of a Go
// program's small stack lies another goroutine's.
//
// A slot is free if its first word is zero. All of it is made zero again, not that
// word alone: what a program finds behind its vdso is what fork(2) would have left.
//
// Where the vdso has grown there are few: the last has what is left over of the room, and
// legs, which may need it, take that one first.
type slot struct {
	addr uintptr
	size int      // guardSize or more
	mem  *os.File // in a guard's, its tracee's memory; nil where there is no descriptor left
}

// slotMemory bounds the room that is used, in bytes, and so how many tracees that share
// memory are worked on at once. A test sets it to what another kernel's vdso leaves.
var slotMemory = 5*guardSize - 1

// slotIn is the slot that begins at off in that much room at start.
func slotIn(start uintptr, room, off int) *slot {
	size := guardSize
	if room-off < 2*guardSize {
		size = room - off
	}
	return &slot{addr: start + uintptr(off), size: size}
}

// claiming keeps two of the supervisor's threads, each with a tracee of its own
// in one address space, from taking the same slot. Held for a read and a write.
var claiming sync.Mutex

// errNoSlot says that the tracee has no room behind its vdso, or no vdso of
// this kernel's.
var errNoSlot = errors.New("no room behind the vdso")

// claim takes a free slot for a guard, by writing first into it.
func (s *Stopped) claim(first []byte) (*slot, error) {
	return s.claimSlot(anySlot, func(sl *slot) error {
		fd, err := s.openMemory(unix.O_WRONLY)
		if err != nil {
			return err
		}
		if fd != noMemory {
			sl.mem = os.NewFile(uintptr(fd), "mem")
		}
		return sl.write(s, 0, first)
	})
}

// write writes into a guard's slot.
func (sl *slot) write(s *Stopped, off uintptr, b []byte) error {
	fd := noMemory
	if sl.mem != nil {
		fd = int(sl.mem.Fd())
	}
	return s.accessBy(fd, sl.addr+off, b, unix.Pwrite, unix.PtracePokeData)
}

// choose picks one of the free slots of as many as there are; nil for none of them.
type choose func(free []*slot, of int) *slot

// anySlot is for a guard.
func anySlot(free []*slot, _ int) *slot {
	if len(free) == 0 {
		return nil
	}
	return free[0]
}

// lastSlot is for what stays: it leaves one to guards, if there are two.
func lastSlot(free []*slot, of int) *slot {
	if len(free) == 0 || len(free) == 1 && of > 1 {
		return nil
	}
	return free[len(free)-1]
}

// claimSlot takes a slot, by writing first into it. Those of legs that are over are free.
func (s *Stopped) claimSlot(pick choose, first func(*slot) error) (*slot, error) {
	start, all, err := s.slotRoom()
	if err != nil {
		return nil, err
	}
	claiming.Lock()
	defer claiming.Unlock()
	if err := s.peek(start, all); err != nil {
		return nil, err
	}
	sl := pick(s.freeSlots(start, all), len(all)/guardSize)
	if sl == nil {
		return nil, errNoSlot
	}
	return sl, first(sl)
}

// slotRoom finds where all slots are, and makes room to read them.
func (s *Stopped) slotRoom() (start uintptr, all []byte, err error) {
	v, err := ourVDSO()
	if err != nil {
		return 0, nil, err
	}
	base, err := s.vdsoAt()
	if err != nil {
		return 0, nil, err
	}
	has, err := s.hasVDSO(base, v)
	if err != nil {
		return 0, nil, err
	}
	if !has {
		return 0, nil, errNoSlot
	}
	room := v.room()
	if room < guardSize {
		return 0, nil, errNoSlot
	}
	return uintptr(base + v.spare), make([]byte, room), nil
}

// room is how much of the tracee's vdso is used for slots, in bytes.
func (v vdso) room() int { return min(int(v.size-v.spare), slotMemory) }

// Slots is how many slots this kernel's vdso leaves room for. With one alone, a leg has no
// annex; with none there are no legs, and calls are made at the tracee's own instruction.
func Slots() (int, error) {
	v, err := ourVDSO()
	return v.room() / guardSize, err
}

// freeSlots wipes what is over, and finds what is free.
func (s *Stopped) freeSlots(start uintptr, all []byte) (free []*slot) {
	s.eachSlot(start, all, s.legEnded)
	s.eachSlot(start, all, func(_ uintptr, b []byte) bool {
		of := annexOf(b) - start // anything, where the program has written there
		return isAnnex(b) && (of%guardSize != 0 || of > uintptr(len(all)-guardSize) || !isLeg(all[of:]))
	})
	for off := 0; off+guardSize <= len(all); off += guardSize {
		if isFree(all[off:]) {
			free = append(free, slotIn(start, len(all), off))
		}
	}
	return free
}

// eachSlot wipes those that are over.
func (s *Stopped) eachSlot(start uintptr, all []byte, over func(at uintptr, b []byte) bool) {
	for off := 0; off+guardSize <= len(all); off += guardSize {
		at := slotIn(start, len(all), off)
		b := all[off : off+at.size]
		if over(at.addr, b) && at.wipe(s) == nil {
			clear(b)
		}
	}
}

// legEnded reports whether b is a leg whose call has ended.
func (s *Stopped) legEnded(at uintptr, b []byte) bool {
	if isFree(b) || isAnnex(b) || !isLeg(b) {
		return false
	}
	regs, err := s.Regs()
	return err == nil && s.legIsOver(at, b, regs)
}

func isFree(b []byte) bool { return binary.NativeEndian.Uint64(b) == 0 }

// wipe frees a slot, in its tracee, or in another that has the same bytes.
func (s *slot) wipe(t *Stopped) error { return t.Write(s.addr, make([]byte, s.size)) }

// guard makes the next call run in a slot's code, or, without room for one, at
// the tracee's own instruction. A child in the making needs no healing.
func (i *Injection) guard(h heal) (insn uint64, err error) {
	if i.Hold {
		return i.insn, nil
	}
	if i.Ends {
		h = healExit
	}
	code := guardFor(h, i.saved, i.mask)
	if i.slot == nil {
		i.slot, err = i.claim(code)
		if errors.Is(err, errNoSlot) || errors.Is(err, ErrNoSyscall) {
			i.slot = nil
			return i.insn, nil
		}
	} else if h != i.heal {
		err = i.slot.write(i.Stopped, 0, code)
	}
	if err != nil {
		return 0, err
	}
	i.heal = h
	return uint64(i.slot.addr), nil
}

// Unguard gives the slot back. End does it; a tracee that is not to have its
// registers back needs it by itself. Precondition: they do not point into the
// slot.
func (i *Injection) Unguard() error {
	return i.giveBack(func(s *slot) error { return s.write(i.Stopped, 0, make([]byte, s.size)) })
}

// UnguardBy does it through another tracee that shares the memory, for one that
// has exited in its slot.
func (i *Injection) UnguardBy(t *Stopped) error {
	return i.giveBack(func(s *slot) error { return s.wipe(t) })
}

// giveBack has nothing to give back where another thread of the program has unmapped its vdso.
func (i *Injection) giveBack(wipe func(*slot) error) error {
	s := i.slot
	if s == nil {
		return nil
	}
	defer i.closeSlot()
	if err := wipe(s); !errors.Is(err, unix.EFAULT) {
		return err
	}
	return nil
}

// KeepIfThere gives up a slot that was in use while other threads of the program ran, and may have
// unmapped its vdso: a call in it would be SIGSEGV. Precondition: they are stopped.
func (i *Injection) KeepIfThere() {
	if i.slot != nil && errors.Is(i.peek(i.slot.addr, make([]byte, i.slot.size)), unix.EFAULT) {
		i.closeSlot()
	}
}

// closeSlot closes what the slot was written through, and forgets the slot.
func (i *Injection) closeSlot() {
	if i.slot != nil && i.slot.mem != nil {
		i.slot.mem.Close()
	}
	i.slot = nil
}
