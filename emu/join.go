// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"errors"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
	"cloneat-emu/ptrace"
)

// The child of the init engine has the target's namespaces of one moment: the target may change
// several at once. What one setns(2) takes from a process is of one moment, so it takes all kinds
// that do no harm, whether they were found to differ or not. Only the mount namespace does, since
// root and working directory are lost with the old one.

// join brings C1 into the target's namespaces, but for pid and time, and opens its root.
func (c *call) join(c1 *ptrace.Injection, pidfd uintptr) error {
	const tries = 20 // a target that changes them without end is met by the next call
	if c.kinds()&^unix.CLONE_NEWTIME == 0 {
		return nil // both were in the same ones: that was the moment
	}
	for range tries {
		lost := c.kinds() & unix.CLONE_NEWNS
		taken, err := c.take(c1, pidfd)
		if err != nil {
			return err
		}
		if same, err := c.asJoined(c1.TID, taken); same || err != nil {
			return err
		}
		if err := c.check.LookAgain(); err != nil {
			return ofTarget(err)
		}
		if lost&^c.kinds() != 0 {
			break // the child is to have the caller's directories, and C1 has them no more
		}
	}
	return errChanged
}

// take makes the setns(2), and says which kinds it took. The caller may lack the right to one that
// it is in already.
func (c *call) take(c1 *ptrace.Injection, pidfd uintptr) (uintptr, error) {
	kinds := c.kinds() &^ unix.CLONE_NEWTIME
	all := kinds | harmless()
	_, err := c1.Call(unix.SYS_SETNS, pidfd, all)
	if all != kinds && errors.Is(err, unix.EPERM) {
		all = kinds
		_, err = c1.Call(unix.SYS_SETNS, pidfd, all)
	}
	return all, err
}

// asJoined reports whether C1 is where the target is: in the kinds that were not taken, and in the
// mount namespace that the root is of.
func (c *call) asJoined(c1 int, taken uintptr) (bool, error) {
	if taken&unix.CLONE_NEWNS != 0 {
		if err := c.openRoot(); err != nil {
			return false, err
		}
		taken &^= unix.CLONE_NEWNS
	}
	d, err := proc.Open(c1)
	if err != nil {
		return false, err
	}
	defer d.Close()
	for kind, flag := range nsFlag {
		if kind == proc.Time || taken&flag != 0 || !proc.Has(kind) {
			continue
		}
		if same, err := sameKind(d, c.check.Target.Thread, kind); !same || err != nil {
			return false, err
		}
	}
	return true, nil
}

func sameKind(a, b *proc.Dir, kind proc.Kind) (bool, error) {
	one, err := a.NS(kind)
	if err != nil {
		return false, err
	}
	other, err := b.NS(kind)
	return one == other, ofTarget(err)
}

// harmless are the kinds that a process may join once more.
func harmless() (flags uintptr) {
	for kind, flag := range nsFlag {
		if kind != proc.Mnt && kind != proc.Time && proc.Has(kind) {
			flags |= flag
		}
	}
	return flags
}

// kinds are the namespaces to join, as setns(2) takes them, but for pid.
func (c *call) kinds() uintptr {
	var flags uintptr
	for _, k := range c.check.Target.Differs {
		flags |= nsFlag[k]
	}
	return flags
}

var nsFlag = map[proc.Kind]uintptr{
	proc.UTS: unix.CLONE_NEWUTS, proc.IPC: unix.CLONE_NEWIPC, proc.Mnt: unix.CLONE_NEWNS,
	proc.Net: unix.CLONE_NEWNET, proc.Cgroup: unix.CLONE_NEWCGROUP, proc.Time: unix.CLONE_NEWTIME,
}
