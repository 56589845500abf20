// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"errors"

	"golang.org/x/sys/unix"

	"cloneat-emu/ptrace"
)

// The child of the init engine, which the kernel has copied from the caller, by way of C1.

// ready makes C2 what the caller's program expects of its child.
func (c *call) ready(stopped *ptrace.Stopped, pidfd uintptr, way ...*ptrace.Injection) (*ptrace.Injection, error) {
	if err := errors.Join(c.missed(), c.inGroup(stopped.TID)); err != nil {
		return nil, err
	}
	child, err := hold(stopped)
	if err != nil {
		return nil, err
	}
	child.OnStuck, child.Bound = c.waitForCaller, true // in its control group
	if err := c.settle(child, pidfd); err != nil {
		return nil, err
	}
	child.Forget()
	return child, errors.Join(c.prepareCopy(child.Stopped), c.clearSlots(child.Stopped, way...), child.End())
}

// undo ends a C2 that is not to be, and lets C1 reap it: the target would hear of it.
func undo(c1 *ptrace.Injection, child *ptrace.Stopped) {
	child.Kill()
	if id, err := c1.Finish(); err == nil {
		_, _ = c1.Call(unix.SYS_WAIT4, id, 0, unix.WALL, 0)
	}
}

// forkChild makes C2 with everything that the call asks for and the kernel
// does by itself.
func (c *call) forkChild(c1 *ptrace.Injection) (*ptrace.Stopped, error) {
	args := forSelf(c.args)
	args.Flags &^= unix.CLONE_PIDFD | unix.CLONE_PARENT_SETTID | unix.CLONE_VFORK
	args.Flags |= unix.CLONE_FILES // C1's, which it leaves to the child
	args.PIDFD, args.ParentTID = 0, 0
	return c.forkHinted(c1, args)
}

// settle gives the child what the way over the threads took away or added.
func (c *call) settle(child *ptrace.Injection, pidfd uintptr) error {
	if c.kinds()&unix.CLONE_NEWTIME != 0 {
		if _, err := child.Call(unix.SYS_SETNS, pidfd, unix.CLONE_NEWTIME); err != nil {
			return err
		}
	}
	if err := c.targetRoot(child); err != nil {
		return err
	}
	if _, err := child.Call(unix.SYS_CLOSE, pidfd); err != nil {
		return err
	}
	if c.rseq.Pointer == 0 {
		return nil
	}
	_, err := child.Call(unix.SYS_RSEQ, uintptr(c.rseq.Pointer), uintptr(c.rseq.Size), uintptr(c.rseq.Flags), uintptr(c.rseq.Signature))
	return err
}

// clearSlots removes from the child what the ways over the threads left in its
// copy of the memory.
func (c *call) clearSlots(child *ptrace.Stopped, way ...*ptrace.Injection) error {
	var err error
	for _, i := range append(way, c.caller) {
		err = errors.Join(err, i.Clear(child))
	}
	return err
}
