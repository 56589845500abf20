// SPDX-License-Identifier: Apache-2.0

// Package rights judges what another thread may do, as the kernel would.
//
// A capability counts in a user namespace: the thread's own, those below it for
// which the thread's own namespace counts, and all of those that the thread's
// user created. [Cred.NSCapable] walks the namespaces as cap_capable() in
// security/commoncap.c does, by the ioctls of ioctl_ns(2). What lies outside
// the supervisor's own user namespace cannot be seen and need not be: the
// threads that are judged live in it or below, and have no rights further up.
//
// Security modules may refuse more than this; whether they do shows where the
// kernel itself is made to judge.
package rights

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
)

// Cred is what decides about a thread's capabilities.
type Cred struct {
	EUID      uint32    // in the supervisor's user namespace
	Effective uint64    // a bit a capability
	UserNS    proc.NSID // the thread's own; zero where the kernel has none
}

// Of reads the credentials of the thread.
func Of(d *proc.Dir) (*Cred, error) {
	st, err := d.Status()
	if err != nil {
		return nil, err
	}
	return With(st, d)
}

// With is Of for who has read the status of the thread already.
func With(st *proc.Status, d *proc.Dir) (*Cred, error) {
	c := &Cred{EUID: st.Uid[1], Effective: st.CapEff}
	if !proc.Has(proc.User) {
		return c, nil
	}
	var err error
	if c.UserNS, err = d.NS(proc.User); err != nil {
		return nil, err
	}
	return c, nil
}

// Capable reports whether the thread has the capability (unix.CAP_*) in its own
// user namespace.
func (c *Cred) Capable(capability int) bool { return c.Effective>>capability&1 != 0 }

// NSCapable reports whether the thread has the capability in the user namespace
// that ns is open on.
func (c *Cred) NSCapable(ns *os.File, capability int) (bool, error) {
	id, err := proc.FileNSID(ns)
	for at := ns; err == nil; {
		if id == c.UserNS {
			return c.Capable(capability), nil
		}
		up, uerr := Parent(at)
		if errors.Is(uerr, unix.EPERM) {
			return false, nil // past the top without meeting the thread's own
		}
		if uerr != nil {
			return false, uerr
		}
		defer up.Close() // the way up is at most 33 levels long
		if id, err = proc.FileNSID(up); err == nil && id == c.UserNS {
			if owns, oerr := c.owns(at); owns || oerr != nil {
				return owns, oerr
			}
		}
		at = up
	}
	return false, err
}

// owns reports whether the thread's user created the namespace.
func (c *Cred) owns(userns *os.File) (bool, error) {
	owner, err := unix.IoctlGetUint32(int(userns.Fd()), unix.NS_GET_OWNER_UID)
	if err != nil {
		return false, fmt.Errorf("ioctl(NS_GET_OWNER_UID) %s: %w", userns.Name(), err)
	}
	return owner == c.EUID && visible(owner), nil
}

// Parent opens the parent of a user or pid namespace. The error is EPERM at the
// top and where the parent is outside the supervisor's namespaces.
func Parent(ns *os.File) (*os.File, error) {
	return related(ns, unix.NS_GET_PARENT, "NS_GET_PARENT")
}

// Owner opens the user namespace that owns a namespace of another kind. The
// error is EPERM where that is outside the supervisor's own; nobody whom the
// supervisor may judge has rights there.
func Owner(ns *os.File) (*os.File, error) {
	return related(ns, unix.NS_GET_USERNS, "NS_GET_USERNS")
}

func related(ns *os.File, request uint, name string) (*os.File, error) {
	fd, err := unix.IoctlRetInt(int(ns.Fd()), request)
	if err != nil {
		return nil, fmt.Errorf("ioctl(%s) %s: %w", name, ns.Name(), err)
	}
	return os.NewFile(uintptr(fd), name+" of "+ns.Name()), nil
}

// CapableOver reports whether the thread has the capability in the user
// namespace that owns ns, a namespace of any kind but user.
func (c *Cred) CapableOver(ns *os.File, capability int) (bool, error) {
	if !proc.Has(proc.User) { // then nobody can be asked for the owner (EPERM)
		return c.Capable(capability), nil
	}
	owner, err := Owner(ns)
	if errors.Is(err, unix.EPERM) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer owner.Close()
	return c.NSCapable(owner, capability)
}
