package ptrace

import (
	"fmt"
)

// Args places the arguments of the next call in the tracee's memory and returns
// their address. They stay until End, or the next Args.
func (i *Injection) Args(b []byte) (uintptr, error) {
	if len(b) > ArgsSize {
		return 0, fmt.Errorf("%d bytes of arguments for room of %d", len(b), ArgsSize)
	}
	if i.slot == nil {
		var err error
		if i.slot, err = i.claim(guardFor(healCall, i.saved, i.mask)); err != nil {
			return 0, err
		}
		i.heal = healCall
	}
	at := i.slot.addr + guardArgs
	return at, i.Write(at, b)
}

// ArgsSize is how much Args takes.
const ArgsSize = guardSize - guardArgs

// Settle takes a child that was forked under the guard out of the slot: it
// stands behind a `syscall` of its own then, and the slot is empty in memory of
// its own. Until then the child ends with its tracer.
func (i *Injection) Settle(child *Stopped, sharesMemory bool) error {
	if i.slot == nil {
		return nil
	}
	regs, err := child.Regs()
	if err != nil {
		return err
	}
	regs.Rip = i.insn + syscallLen
	if err := child.SetRegs(regs); err != nil || sharesMemory {
		return err
	}
	return i.Clear(child)
}

// Clear removes the slot from a child that was forked while it was in use, and
// so has a copy of it. Precondition: the child has memory of its own, and its
// registers do not point into the slot.
func (i *Injection) Clear(child *Stopped) error {
	if i.slot == nil {
		return nil
	}
	return i.slot.clear(child)
}
