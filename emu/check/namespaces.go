// SPDX-License-Identifier: Apache-2.0

package check

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
	"cloneat-emu/emu/rights"
)

// mayEnterNamespaces is row 13, and notes the kinds that differ: for each of
// them the caller must be capable where the namespace belongs and at home.
// setns(2)'s rules about the caller's state do not apply, since it does not move.
func mayEnterNamespaces(c *Call) unix.Errno {
	if c.Target.Self {
		return 0
	}
	if err := c.LookAgain(); err != nil {
		return c.unexpected(err)
	}
	kinds := c.Target.Differs
	if len(kinds) == 0 {
		return 0
	}
	cred, err := c.Caller.cred()
	if err != nil {
		return c.unexpected(err)
	}
	for _, kind := range kinds {
		may, err := mayEnter(cred, c.Target.Thread, kind)
		if err != nil {
			return c.unexpected(err)
		}
		if !may {
			return c.fail(unix.EPERM, "no capability for the target's %s namespace", kind)
		}
	}
	return 0
}

// LookAgain finds the kinds that differ by now.
func (c *Call) LookAgain() (err error) {
	c.Target.Differs, err = differing(c.Caller.Thread, c.Target.Thread, proc.Nsproxy)
	return err
}

func mayEnter(cred *rights.Cred, target *proc.Dir, kind proc.Kind) (bool, error) {
	if !cred.Capable(unix.CAP_SYS_ADMIN) || kind == proc.Mnt && !cred.Capable(unix.CAP_SYS_CHROOT) {
		return false, nil
	}
	ns, err := target.OpenNS(kind)
	if err != nil {
		return false, err
	}
	defer ns.Close()
	return cred.CapableOver(ns, unix.CAP_SYS_ADMIN)
}

// differing lists the kinds of namespace that two threads do not have in
// common. A kind that this kernel does not have is the same for all.
func differing(a, b *proc.Dir, kinds []proc.Kind) ([]proc.Kind, error) {
	var list []proc.Kind
	for _, kind := range kinds {
		one, err := a.NS(kind)
		if missing(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		other, err := b.NS(kind)
		if err != nil {
			return nil, err
		}
		if one != other {
			list = append(list, kind)
		}
	}
	return list, nil
}

// missing reports whether err says that there is no such namespace, though the
// thread is there.
func missing(err error) bool { return errors.Is(err, os.ErrNotExist) && !proc.Gone(err) }
