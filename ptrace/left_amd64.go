// SPDX-License-Identifier: Apache-2.0

package ptrace

import "fmt"

// A tracee whose filters its tracer may not suspend cannot tell a late tracer from a
// dead one (see SuspendedNr), and leaves a batch after two seconds:
//
//	tracer                        tracee
//	is not run for two seconds    is done, sleeps, asks: the tracer is dead
//	                              puts itself back, makes its own call
//	INTERRUPT                     waits in that call
//
// What it was asked is not worth a call that is lost, nor one that is made twice: where
// it stands as it did when the scope was opened, everything begins anew.

// stillThere looks where a tracee is that was stopped after it had said that it is
// done. In the guard it may have its own mask back.
func (b *Batch) stillThere() error {
	i := b.i
	regs, err := i.Regs()
	if err != nil {
		return err
	}
	at := uintptr(regs.Rip) - b.base
	if at >= programOff && at < b.size {
		return nil
	}
	if i.now, err = i.SigMask(); err != nil {
		return err
	}
	if at < programOff {
		return i.block()
	}
	own := i.saved
	if nr, in := InSyscall(regs); !in || !Restarts(regs) || uint64(nr) != own.Orig_rax ||
		regs.Rip != own.Rip || regs.Rsp != own.Rsp || i.now != i.mask {
		return i.left(0)
	}
	i.ran, i.masked = false, false
	return fmt.Errorf("pid %d made its call again, its tracer was late: %w", i.TID, ErrAgain)
}
