// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"errors"
	"fmt"
	"math"
	"os"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
	"cloneat-emu/emu/rights"
	"cloneat-emu/emu/transplant"
	"cloneat-emu/pidhint"
	"cloneat-emu/ptrace"
)

// drivers are the ways to an exact pid, the better one first.
var drivers = []pidhint.Driver{pidhint.SetTID{}, pidhint.LastPID{}}

// forkHinted makes a tracee clone, under the exact pid where one is wanted. The
// right to it was judged for the caller (row 14); whoever clones here may lack
// it, and then the next driver is tried.
func (c *call) forkHinted(i *ptrace.Injection, args cloneArgs) (*ptrace.Stopped, error) {
	if c.hint == 0 {
		return c.forkFor(i, args, nil)
	}
	for _, d := range drivers {
		want := c.s.cfg.PIDDriver
		forced := want == d.Name()
		if !forced && want != "" && want != "auto" {
			continue
		}
		if d.Name() == (pidhint.SetTID{}).Name() && !maySetTID(i.TID) {
			if forced {
				return nil, c.cannot(d, fmt.Sprintf("thread %d, which makes the child, has neither CAP_CHECKPOINT_RESTORE nor CAP_SYS_ADMIN over the pid namespace", i.TID))
			}
			continue
		}
		return c.drive(d, i, args)
	}
	return nil, &transplant.Unsupported{Cause: "no such --pid-driver: " + c.s.cfg.PIDDriver}
}

// cannot is the error of a driver that cannot make the child under its number.
func (c *call) cannot(d pidhint.Driver, cause string) error {
	return &transplant.Unsupported{Cause: fmt.Sprintf("exact pid %d by %s: %s", c.hint, d.Name(), cause)}
}

// maySetTID reports whether the thread has what clone3's set_tid asks for
// (set_tid_allowed in kernel/pid.c: CAP_CHECKPOINT_RESTORE, or CAP_SYS_ADMIN,
// in the user namespace that owns the pid namespace).
func maySetTID(tid int) bool {
	d, err := proc.Open(tid)
	if err != nil {
		return true // gone: the clone will say so
	}
	defer d.Close()
	cred, err := rights.Of(d)
	if err != nil {
		return true
	}
	ns, err := d.OpenNS(proc.PIDForChildren)
	if err != nil {
		return true // no init yet: only a clone tells
	}
	defer ns.Close()
	for _, capability := range []int{unix.CAP_CHECKPOINT_RESTORE, unix.CAP_SYS_ADMIN} {
		if ok, err := cred.CapableOver(ns, capability); err == nil && ok {
			return true
		}
	}
	return false
}

// drive lets one driver make the child.
func (c *call) drive(d pidhint.Driver, i *ptrace.Injection, args cloneArgs) (*ptrace.Stopped, error) {
	m := &maker{c: c, i: i, args: args}
	if d.Name() == (pidhint.SetTID{}).Name() {
		err := d.Make(pidhint.Namespace{}, c.hint, m)
		return m.child, err
	}
	if args.Flags&unix.CLONE_PARENT != 0 {
		return nil, c.cannot(d, "with CLONE_PARENT a child under a wrong number could not be reaped")
	}
	ns, err := openBirthNS(i.TID)
	if err != nil {
		return nil, err
	}
	defer ns.Close() // nil is fine
	err = d.Make(pidhint.Namespace{PID: ns}, c.hint, m)
	var unusable *pidhint.Unusable
	if errors.As(err, &unusable) {
		return nil, c.cannot(d, unusable.Cause)
	}
	if err != nil {
		return nil, err
	}
	return m.child, nil
}

// openBirthNS opens the pid namespace in which the thread's children are born.
// It is nil where that has no init yet.
func openBirthNS(tid int) (*os.File, error) {
	d, err := proc.Open(tid)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	ns, err := d.OpenNS(proc.PIDForChildren)
	if errors.Is(err, os.ErrNotExist) && d.Alive() {
		return nil, nil
	}
	return ns, err
}

// forkFor makes the clone as the caller's own where the caller makes it.
func (c *call) forkFor(i *ptrace.Injection, args cloneArgs, setTID []int32) (*ptrace.Stopped, error) {
	if i == c.caller {
		return forkOwn(i, args, setTID)
	}
	return c.fork(i, args, setTID)
}

// maker makes children of one tracee for a driver.
type maker struct {
	c     *call
	i     *ptrace.Injection
	args  cloneArgs
	child *ptrace.Stopped
}

// Make clones and returns the child's number where the hint counts: its own
// namespace, or the one above a new one.
func (m *maker) Make(setTID bool) (int, error) {
	var ids []int32
	if setTID {
		ids = m.c.setTID()
	}
	child, err := m.c.forkFor(m.i, m.args, ids)
	if err != nil {
		return 0, err
	}
	m.child = child
	if setTID {
		return m.c.hint, nil
	}
	numbers, err := nsPID(child.TID)
	if err != nil {
		return 0, errors.Join(err, m.Drop())
	}
	at := len(numbers) - 1
	if m.c.args.Has(unix.CLONE_NEWPID) {
		at--
	}
	return numbers[at], nil
}

// Probe clones with a number that no process can have: alloc_pid() refuses it
// with EINVAL, after rows 15 to 17 and before 19 and 20 (copy_process() in
// kernel/fork.c).
func (m *maker) Probe() error {
	child, err := m.c.forkFor(m.i, m.args, []int32{math.MaxInt32})
	switch {
	case err == nil:
		m.child = child
		return errors.Join(m.Drop(), unix.EIO)
	case errors.Is(err, unix.EINVAL):
		return nil
	}
	return err
}

// Drop ends a child under a wrong number. It has not run; its parent, the
// tracee, is made to reap it and does not hear of it.
func (m *maker) Drop() error {
	if m.args.Flags&unix.CLONE_THREAD != 0 {
		return m.dropThread()
	}
	id, reaped := uintptr(numberFor(m.i.TID, m.child.TID)), false
	defer m.c.patientWith(m.i)()
	err := m.c.quietly(m.i, m.child.TID, unix.Signal(m.args.ExitSignal), func() error {
		m.i.KillChild(m.child)
		_, err := m.i.Finish()
		reaped = err == nil && m.i.ReapChild(m.child, id)
		return err
	})
	if !reaped {
		m.c.orphan(m.child)
		err = errors.Join(err, ptrace.ErrGone)
	}
	return err
}

// dropThread makes a thread exit: to kill it would be to kill its process.
func (m *maker) dropThread() error {
	t, err := hold(m.child)
	if err != nil {
		return err
	}
	m.c.exit(t)
	_, err = m.i.Finish()
	return err
}
