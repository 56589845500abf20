// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// A tracee whose own filters are suspended (SuspendSeccomp) could make any call, and others may
// write to its memory: a process that shares it (CLONE_VM), or has /proc/PID/mem open. Whoever
// changes the code that it runs, or the list that a batch reads, would have it make calls that the
// filter forbids them all. So such a tracee is watched: it never runs to the end of something by
// itself, but from call to call, each with arguments that come from its registers alone, and each is
// looked at where the kernel has them and nobody else (PTRACE_GET_SYSCALL_INFO, at the entry).
// That costs two stops a call.

// ErrForeign says that a watched tracee was about to make another call than it was asked for.
var ErrForeign = fmt.Errorf("%w: somebody writes to its memory while it makes calls", ErrBusy)

// Watch says that the tracee has, or is about to get, filters of its own.
func (s *Stopped) Watch() { s.filtered = true }

// watches reports whether calls have to be looked at.
func (s *Stopped) watches() (bool, error) {
	if !s.suspended || s.filtered {
		return s.suspended, nil
	}
	own, err := s.ownFilter()
	s.filtered = own
	return own, err
}

// ownFilter reports whether the tracee has more filters than all tracees.
func (s *Stopped) ownFilter() (bool, error) {
	var p [16]byte
	binary.NativeEndian.PutUint64(p[:], uint64(CommonFilters()))
	err := requestMem("SECCOMP_GET_METADATA", reqSecGetMetadata, s.TID, uintptr(len(p)), p[:])
	switch {
	case err == nil:
		return true, nil
	case Gone(err):
		return false, err
	}
	return !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.EINVAL), nil // EINVAL: none at all
}

// Offsets in struct ptrace_syscall_info.
const (
	infoArch = 4
	infoNr   = 24
	infoArgs = 32
	infoSize = 88
)

const syscallEntry = 1 // PTRACE_SYSCALL_INFO_ENTRY

// checkEntry is ErrForeign for a watched tracee that stands at the entry of something else
// than what asked says. It does not make that call.
func (i *Injection) checkEntry() error {
	if !i.watched {
		return nil
	}
	var p [infoSize]byte
	if err := requestMem("GET_SYSCALL_INFO", reqGetSyscallInfo, i.TID, uintptr(len(p)), p[:]); err != nil {
		return err
	}
	if p[0] == syscallEntry && binary.NativeEndian.Uint32(p[infoArch:]) == nativeArch && i.isAsked(p[infoNr:]) {
		return nil
	}
	regs, err := i.Regs()
	if err != nil {
		return err
	}
	if err := i.SetRegs(withoutCall(regs)); err != nil {
		return err
	}
	if _, err := i.proceed(); err != nil {
		return err
	}
	return fmt.Errorf("pid %d: %w", i.TID, ErrForeign)
}

// isAsked compares number and arguments.
func (i *Injection) isAsked(p []byte) bool {
	for n, want := range callOf(i.asked) {
		if binary.NativeEndian.Uint64(p[8*n:]) != want {
			return false
		}
	}
	return true
}

// singly makes the calls of a list, and notes in it what they returned.
func (b *Batch) singly(list []byte) error {
	for e := list[entryLen:]; len(e) > 0; e = e[entryLen:] {
		args := make([]uintptr, 6)
		for n := range args {
			args[n] = uintptr(binary.LittleEndian.Uint64(e[8+8*n:]))
		}
		v, err := b.makes(b.i.waiter(), uintptr(binary.LittleEndian.Uint64(e)), args)
		if err != nil {
			return err
		}
		binary.LittleEndian.PutUint64(e, uint64(v))
		if v < 0 && v >= -4095 && binary.LittleEndian.Uint64(e[56:]) != allLoose {
			return nil
		}
	}
	return nil
}

// makes makes one call and returns what it left, an errno as a negative number. A child in the making makes it in the
// area, on the stack there, as it would the list; it may have no other code.
func (b *Batch) makes(wait waiter, nr uintptr, args []uintptr) (int64, error) {
	i := b.i
	if i.Hold {
		insn, saved := i.insn, i.saved
		defer func() { i.insn, i.saved = insn, saved }()
		i.insn, i.saved = uint64(b.base+syscallOff), WithStack(saved, uint64(b.base+b.size))
		i.masked = true
		if err := i.SetSigMask(i.blocked()); err != nil {
			return 0, err
		}
	}
	if err := i.toExit(wait, nr, args); err != nil {
		return 0, err
	}
	regs, err := i.Regs()
	return returned(regs), err
}
