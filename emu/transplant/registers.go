// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"errors"
	"fmt"

	"cloneat-emu/ptrace"

	"golang.org/x/sys/unix"
)

// lastCalls runs what must come after everything else that C does by a batch:
// the caller's rseq(2) area is registered, and the kernel writes to it at every
// return to user space from then on.
func (b *build) lastCalls() error {
	s := b.script
	if t := b.opt.ChildClearTID; t != 0 {
		s.try("set_tid_address", unix.SYS_SET_TID_ADDRESS, uintptr(t))
	}
	if !b.trapIgnored() {
		b.queueTrapAction()
	}
	if r := b.snap.rseq; r.Pointer != 0 && !b.opt.ShareVM {
		s.add("rseq", r.Pointer, unix.SYS_RSEQ, uintptr(r.Pointer), uintptr(r.Size), uintptr(r.Flags), uintptr(r.Signature))
	}
	return s.run()
}

func (b *build) trapIgnored() bool {
	return b.snap.own.actions[unix.SIGTRAP-1].ignored()
}

// leaveStage removes the stage by a call made from the caller's code, which C
// has now, and sets the disposition that a batch cannot set.
func (b *build) leaveStage() error {
	b.inj.Forget()
	if err := errors.Join(b.inj.End(), b.c.SetRegs(b.snap.regs)); err != nil {
		return err
	}
	inj, err := b.c.Begin()
	if err != nil {
		return err
	}
	inj.Hold, inj.OnStuck, inj.Bound = true, b.snap.others.Frozen, true
	inj.Forget()
	if b.trapIgnored() && !b.opt.ShareSighand {
		b.script.inj, b.script.single = inj, true
		b.queueTrapAction()
		if err := b.script.run(); err != nil {
			return err
		}
	}
	if _, err := inj.Call(unix.SYS_MUNMAP, uintptr(b.stage), scriptSize); err != nil {
		return fmt.Errorf("munmap of the stage: %w", err)
	}
	b.left.stage = 0
	return inj.End()
}

// setRegisters makes C continue behind the caller's call with 0: general
// registers, the whole extended state, and the caller's signal mask.
func (b *build) setRegisters() error {
	r := ptrace.WithResult(b.snap.regs, 0)
	if b.opt.StackPointer != 0 {
		r = ptrace.WithStack(r, b.opt.StackPointer)
	}
	if b.opt.TLS != nil {
		r = ptrace.WithTLS(r, *b.opt.TLS)
	}
	r = ptrace.AfterSyscall(r)
	if err := b.c.SetXState(b.snap.xstate); err != nil {
		return err
	}
	if err := b.c.SetSigMask(b.snap.mask); err != nil {
		return err
	}
	return b.c.SetRegs(r)
}
