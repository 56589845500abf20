// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Args places the arguments of the next call in the tracee's memory and returns
// their address. They stay until End, or the next Args.
func (i *Injection) Args(b []byte) (uintptr, error) {
	if len(b) > ArgsSize {
		return 0, fmt.Errorf("%d bytes of arguments for room of %d", len(b), ArgsSize)
	}
	at, err := i.argsAt()
	if err != nil || len(b) == 0 {
		return at, err
	}
	if i.page == 0 {
		return at, i.slot.write(i.Stopped, guardArgs, b)
	}
	return at, i.Write(at, b)
}

// argsAt finds the room: in the slot, or on a page that is mapped for it where
// the vdso has none to spare.
//
// Once there is a page, that is it: the call that mapped it may have found a slot
// that another tracee in this memory had given back meanwhile, and what the caller
// has the address of would stay empty.
func (i *Injection) argsAt() (uintptr, error) {
	if i.page != 0 {
		return i.page, nil
	}
	if i.slot != nil {
		return i.slot.addr + guardArgs, nil
	}
	s, err := i.claim(guardFor(healCall, i.saved, i.mask))
	if err == nil {
		i.slot, i.heal = s, healCall
		return s.addr + guardArgs, nil
	}
	if !errors.Is(err, errNoSlot) && !errors.Is(err, ErrNoSyscall) {
		return 0, err
	}
	return i.Page()
}

// Page maps a page for arguments that a call writes to, which it cannot in a slot. What
// [Injection.Args] places from then on is there as well. DropPage unmaps it.
func (i *Injection) Page() (at uintptr, err error) {
	if i.page == 0 {
		i.page, err = i.mmap(0, pageSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	}
	return i.page, err
}

// mmap has the tracee map memory without a file. A tracee that locks all that it maps and may
// not lock more is short of memory; EAGAIN, which mmap(2) has for that, is of processes.
func (i *Injection) mmap(addr, size, prot, flags uintptr) (uintptr, error) {
	at, err := i.Call(unix.SYS_MMAP, addr, size, prot, flags, ^uintptr(0), 0)
	if errors.Is(err, unix.EAGAIN) {
		err = unix.ENOMEM
	}
	return at, err
}

const pageSize = 1 << 12

// DropPage unmaps the page that Args or Page mapped, if one did, as End does. A caller that is
// given back inside its clone keeps it.
func (i *Injection) DropPage() error {
	if i.page == 0 {
		return nil
	}
	_, err := i.Call(unix.SYS_MUNMAP, i.page, pageSize)
	if err == nil {
		i.page = 0
	}
	return err
}

// ArgsSize is how much Args takes.
const ArgsSize = guardSize - guardArgs

// Settle takes a child that was forked under the guard out of the slot: it
// stands behind a `syscall` of its own then, and the slot is free in memory of
// its own. Until then the child ends with its tracer.
func (i *Injection) Settle(child *Stopped, sharesMemory bool) error {
	if i.slot == nil {
		return nil
	}
	regs, err := child.Regs()
	if err != nil {
		return err
	}
	regs = behind(regs, i.insn)
	if err := child.SetRegs(regs); err != nil || sharesMemory {
		return err
	}
	return i.Clear(child)
}

// Clear frees the slot in a child that was forked while it was in use, and so has
// a copy of it. Precondition: the child has memory of its own, and its
// registers do not point into the slot.
func (i *Injection) Clear(child *Stopped) error {
	if i.slot == nil {
		return nil
	}
	return i.slot.wipe(child)
}
