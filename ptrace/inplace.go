package ptrace

import "errors"

// A clone that takes no arguments, fork(2) or vfork(2), can be made in place: at the
// instruction of the program's own call. Nothing but its result is to be put back then,
// whatever becomes of the tracer, so that it needs no guard; and signals meet it as they
// would meet the program's call, so that none is blocked. In the event's stop both sides
// have their registers and masks, and only have to be let go.

// forkInPlace makes such a clone.
func (i *Injection) forkInPlace(nr uintptr) (*Stopped, error) {
	i.ran, i.inPlace = true, true
	if err := i.SetRegs(forCall(i.saved, i.insn, nr, nil)); err != nil {
		return nil, err
	}
	child, err := i.meetChild(nr)
	if err != nil && !i.Detached && !Gone(err) {
		err = errors.Join(err, i.block()) // as behind any other call
	}
	return child, err
}

// InPlace reports whether the tracee's child was made in place.
func (i *Injection) InPlace() bool { return i.inPlace }

// canForkInPlace reports whether nothing has been done in this scope yet, and the tracee
// stands behind a call of its own.
func (i *Injection) canForkInPlace() bool {
	_, in := InSyscall(i.saved)
	return in && !i.ran && !i.masked && i.slot == nil && i.atOwnInsn()
}
