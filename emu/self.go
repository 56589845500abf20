// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"errors"

	"golang.org/x/sys/unix"

	"cloneat-emu/ptrace"
)

// makeSelf lets the caller make the call itself, as clone(2) or clone3(2), and
// puts both sides' registers right at the kernel's fork event:
//
//	caller                                     child
//	enters clone, event stop                   first stop, caller's registers
//	gets its registers back                    gets the caller's, rax 0
//	DETACH: the kernel finishes the call       DETACH
//
// A clone that takes no arguments is made in place, where both have their registers
// already (see [ptrace.Injection.InPlace]).
//
// So that a caller which waits for its vfork child is not traced meanwhile, and
// nothing is left to be done for it if the supervisor dies.
func (c *call) makeSelf() (int64, error) {
	child, err := c.forkSelf()
	var dead *ptrace.Stillborn
	if errors.As(err, &dead) {
		dead.Child.Reap() // its parent hears of its end as of any other
		if dead.ID != 0 && (c.hint == 0 || int(dead.ID) == c.hint) {
			return int64(dead.ID), nil
		}
	}
	if err != nil {
		return 0, ofCaller(err)
	}
	c.step("self: cloned")
	id := c.numberForCaller(child.TID)
	if err := c.givenBack(); goneIsFine(err) != nil {
		child.Kill()
		return 0, err
	} // a caller that is killed after its clone has a child, as by clone(2)
	c.step("self: given back")
	err = c.prepareCopy(child)
	if err == nil {
		err = c.unguarded(child)
	}
	if err != nil && !ptrace.Gone(err) {
		return 0, err
	}
	c.tell(verdict{value: id})
	return id, c.goOn(child)
}

// goOn releases both: the child first, so that the caller cannot meet one that is
// traced.
func (c *call) goOn(child *ptrace.Stopped) error {
	if c.args.Has(unix.CLONE_VFORK) {
		return c.goOnInVfork()
	}
	err := goneIsFine(c.released(child.Detach(0)))
	if err != nil {
		return err
	}
	c.step("self: child released")
	if err := c.released(c.caller.Detach(0)); err != nil {
		return ofCaller(err)
	}
	c.caller.Detached = true
	c.step("self: caller released")
	return nil
}

// goOnInVfork lets the caller go on to wait for the child, and ends this thread, by
// which both are let go. To detach a tracee from its stop sets TIF_SIGPENDING until it
// returns from the kernel (__ptrace_unlink()), and a deadly signal would not end its
// wait: complete_signal() looks for a thread that has nothing pending, and is not traced.
func (c *call) goOnInVfork() error {
	// The caller could be back before this thread is gone, if the child is killed: its filters
	// are in force from here on.
	if err := c.caller.SetOptions(ptrace.Plain); err != nil {
		return ofCaller(c.released(err))
	}
	if _, err := c.caller.Cont(0); err != nil {
		return ofCaller(c.released(err))
	}
	c.caller.Detached, c.lost = true, true
	return nil
}

// givenBack restores the caller inside its clone. The kernel will put the
// child's number into rax when the call returns.
func (c *call) givenBack() error {
	if c.caller.InPlace() {
		return nil
	}
	regs := ptrace.WithResult(c.caller.Saved(), 0)
	if err := c.caller.SetSigMask(c.caller.Mask()); err != nil { // while it is guarded
		return err
	}
	return c.caller.SetRegs(regs)
}

// unguarded frees the caller's slot once nothing points into it. The caller may be gone.
func (c *call) unguarded(child *ptrace.Stopped) error {
	if c.args.Has(unix.CLONE_VM) {
		return c.caller.UnguardBy(child)
	}
	return errors.Join(c.caller.Clear(child), c.caller.Unguard())
}

// prepareCopy gives a child that the kernel copied from the caller the registers
// and the mask that the program's own call leaves. A stack pointer or segment
// bases of its own it has already.
func (c *call) prepareCopy(child *ptrace.Stopped) error {
	if c.caller.InPlace() {
		return nil
	}
	regs := ptrace.WithResult(c.caller.Saved(), 0)
	if c.args.StackBase != 0 || c.args.Has(unix.CLONE_SETTLS) {
		own, err := child.Regs()
		if err != nil {
			return err
		}
		regs = ptrace.WithStackOf(regs, own)
	}
	if err := child.SetSigMask(c.caller.Mask()); err != nil { // while it is guarded
		return err
	}
	return child.SetRegs(regs)
}

// forkSelf makes the clone, with the exact pid if one is wanted. A signal that comes before it
// is delivered first, as before a fork(2), unless they come without end.
func (c *call) forkSelf() (*ptrace.Stopped, error) {
	c.caller.KeepsOut = c.s.patience.tried(c.n.TID) >= maxMissed
	return c.forkHinted(c.caller, forSelf(c.args))
}

// setTID is clone3's set_tid: the hint's number in the namespace where the child
// would be born without CLONE_NEWPID, and 1 in a new one below it.
func (c *call) setTID() []int32 {
	if c.hint == 0 {
		return nil
	}
	if c.args.Has(unix.CLONE_NEWPID) {
		return []int32{1, int32(c.hint)}
	}
	return []int32{int32(c.hint)}
}
