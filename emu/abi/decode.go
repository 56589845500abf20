// SPDX-License-Identifier: Apache-2.0

package abi

import "golang.org/x/sys/unix"

// Args are the arguments of a call in a form that leaves nothing to decode.
type Args struct {
	// Flags are all CLONE_* bits, however they were given, with the values
	// that clone3(2) uses (CLONE_NEWTIME is 0x80 and CLONE_CLEAR_SIGHAND is
	// 1<<32). The exit signal is split off; CLONE_DETACHED, which has no
	// effect, is dropped.
	Flags uint64
	// ExitSignal is 0..64; 0 for none.
	ExitSignal int
	// StackBase is the lowest address of the child's stack. It and
	// StackSize, in bytes, are both 0 where the child takes over the
	// caller's stack pointer.
	StackBase, StackSize uint64
	// ParentTID is where CLONE_PARENT_SETTID or CLONE_PIDFD store, in the
	// caller's memory. It is not checked.
	ParentTID uint64
	// ChildTID is where CLONE_CHILD_SETTID and CLONE_CHILD_CLEARTID store, in
	// the child's memory. It is not checked.
	ChildTID uint64
	// TLS is 0 without CLONE_SETTLS.
	TLS uint64
}

// Has reports whether any of the flags is set.
func (a *Args) Has(flags uint64) bool { return a.Flags&flags != 0 }

// Memory reads the caller's memory as copy_from_user() does for the caller:
// all of p or an error, which means EFAULT whatever it is. In particular memory
// without PROT_READ is an error, so /proc/PID/mem will not do.
type Memory interface {
	ReadAt(p []byte, addr uint64) error
}

// Decode reads and checks the arguments at argsPtr: rows 2 to 6 of the list of
// errors, in their order. Each part is read once.
func Decode(mem Memory, argsPtr uint64) (*Args, unix.Errno) {
	var b [ArgsSize]byte
	if mem.ReadAt(b[:], argsPtr) != nil { // row 2
		return nil, unix.EFAULT
	}
	raw := ParseRaw(&b)
	if raw.Reserved1 != 0 || raw.Reserved2 != 0 { // row 3
		return nil, unix.EINVAL
	}
	if errno := checkFlagsSize(raw.FlagsSize); errno != 0 { // row 4
		return nil, errno
	}
	words := make([]byte, raw.FlagsSize)
	if mem.ReadAt(words, raw.Flags) != nil { // row 5
		return nil, unix.EFAULT
	}
	return validate(raw, parseFlagSet(words)) // row 6
}

// checkFlagsSize is row 4: EINVAL goes before E2BIG.
func checkFlagsSize(size int32) unix.Errno {
	switch {
	case size < wordBytes, size%wordBytes != 0:
		return unix.EINVAL
	case size > maxFlagBytes:
		return unix.E2BIG
	}
	return 0
}

// validate is row 6. All of its rules answer EINVAL, so their order is free.
func validate(raw Raw, set FlagSet) (*Args, unix.Errno) {
	flags, signal, ok := set.normalise()
	if !ok || signal > maxSignal || !validCombination(flags) ||
		!validStack(raw.ChildStackBase, raw.ChildStackSize, addressLimit()) {
		return nil, unix.EINVAL
	}
	if raw.Reserved3 != 0 && flags&unix.CLONE_SETTLS == 0 {
		return nil, unix.EINVAL
	}
	return &Args{
		Flags:      flags &^ unix.CLONE_DETACHED,
		ExitSignal: signal,
		StackBase:  raw.ChildStackBase,
		StackSize:  raw.ChildStackSize,
		ParentTID:  raw.ParentTIDPtr,
		ChildTID:   raw.ChildTIDPtr,
		TLS:        raw.Reserved3,
	}, 0
}
