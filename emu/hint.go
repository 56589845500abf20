package emu

import (
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
	var err error
	for _, d := range drivers {
		if want := c.s.cfg.PIDDriver; want != "" && want != "auto" && want != d.Name() {
			continue
		}
		if d.Name() == (pidhint.SetTID{}).Name() && !maySetTID(i.TID) {
			err = unix.EPERM
			continue
		}
		return c.drive(d, i, args)
	}
	return nil, err
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
		return nil, &transplant.Unsupported{Cause: "ns_last_pid with CLONE_PARENT: a child under the wrong number could not be reaped"}
	}
	ns, err := openBirthNS(i.TID)
	if err != nil {
		return nil, err
	}
	defer ns.Close()
	err = d.Make(pidhint.Namespace{PID: ns, Taken: taken(ns)}, c.hint, m)
	if err != nil {
		return nil, err
	}
	return m.child, nil
}

// openBirthNS opens the pid namespace in which the thread's children are born.
func openBirthNS(tid int) (*os.File, error) {
	d, err := proc.Open(tid)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.OpenNS(proc.PIDForChildren)
}

// forkFor makes the clone as the caller's own where the caller makes it.
func (c *call) forkFor(i *ptrace.Injection, args cloneArgs, setTID []int32) (*ptrace.Stopped, error) {
	if i == c.caller {
		return forkOwn(i, args, setTID)
	}
	return c.s.fork(i, args, setTID)
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
		return 0, err
	}
	at := len(numbers) - 1
	if m.c.args.Has(unix.CLONE_NEWPID) {
		at--
	}
	return numbers[at], nil
}

// Drop ends a child under a wrong number. It has not run; its parent, the
// tracee, is made to reap it and does not hear of it.
func (m *maker) Drop() error {
	if m.args.Flags&unix.CLONE_THREAD != 0 {
		return m.dropThread()
	}
	id := uintptr(numberFor(m.i.TID, m.child.TID))
	sig := unix.Signal(m.args.ExitSignal)
	before := pending(m.i.TID, sig)
	m.child.Kill()
	if _, err := m.i.Finish(); err != nil {
		return err
	}
	_, err := m.i.Call(unix.SYS_WAIT4, id, 0, unix.WALL, 0)
	if !before && pending(m.i.TID, sig) {
		takeSignal(m.i, sig)
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
