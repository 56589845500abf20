// SPDX-License-Identifier: Apache-2.0

package ptrace

// A clone that takes no arguments, fork(2) or vfork(2), can be made in place: at the
// instruction of the program's own call. Nothing but its result is to be put back then,
// whatever becomes of the tracer, so that it needs no guard. In the event's stop both sides
// have their registers, and only have to be let go.

// forkInPlace makes such a clone.
func (i *Injection) forkInPlace(nr uintptr) (*Stopped, error) {
	i.ran, i.inPlace = true, true
	i.asked = forCall(i.saved, i.insn, nr, nil)
	if err := i.SetRegs(i.asked); err != nil {
		return nil, err
	}
	return i.meetChild(nr)
}

// InPlace reports whether the tracee's child was made in place.
func (i *Injection) InPlace() bool { return i.inPlace }

// canForkInPlace reports whether nothing has been done in this scope yet, and the tracee
// stands behind a call of its own.
func (i *Injection) canForkInPlace() bool {
	_, in := InSyscall(i.saved)
	return in && !i.KeepsOut && !i.ran && !i.masked && i.slot == nil && i.atOwnInsn()
}
