// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
	"cloneat-emu/emu/transplant"
)

// The child lives in the target's active pid and time namespaces, but what the
// target clones is born in its pid_for_children and time_for_children, which
// differ after an unshare(2) or setns(2). A child cannot leave the pid
// namespace that it is born in; it can join another time namespace.
// All of it is looked at while the target stands still for its clone: it may go from one to the
// other and back, and a thread's namespaces are changed by nobody else.

// birthplace says where the child is born, and which time namespace it has to join.
func (c *call) birthplace() (err error) {
	if err = errors.Join(c.bornActive(), c.mayBear()); err != nil {
		return err
	}
	c.closeTime() // of an attempt before
	c.timeNS, err = c.timeToJoin()
	return err
}

func (c *call) closeTime() {
	c.timeNS.Close() //nolint:errcheck // nil is fine
	c.timeNS = nil
}

// bornActive says EOPNOTSUPP for a target whose children are born elsewhere.
func (c *call) bornActive() error {
	same, err := sameNS(c.check.Target.Thread, proc.PID, proc.PIDForChildren)
	if err != nil {
		return err
	}
	if !same {
		return &transplant.Unsupported{Cause: "the target's children are born in another pid namespace than its own (unshare or setns with CLONE_NEWPID), and it is no init"}
	}
	return nil
}

// mayBear says EOPNOTSUPP for namespaces that have to be made at the child's
// birth by a target that has no right to make them.
func (c *call) mayBear() error {
	if !c.args.Has(atBirth) {
		return nil
	}
	st, err := c.targetStatus()
	if err != nil {
		return err
	}
	if !st.Capable(unix.CAP_SYS_ADMIN) {
		return &transplant.Unsupported{Cause: "a new pid or time namespace below a target without CAP_SYS_ADMIN: the target makes the clone"}
	}
	return nil
}

// timeToJoin opens the target's active time namespace if its children are born
// in another one; nil if not.
func (c *call) timeToJoin() (*os.File, error) {
	same, err := sameNS(c.check.Target.Thread, proc.Time, proc.TimeForChildren)
	if err != nil || same {
		return nil, err
	}
	if c.args.Has(unix.CLONE_NEWTIME) {
		return nil, &transplant.Unsupported{Cause: "CLONE_NEWTIME on a target whose children are born in another time namespace than its own"}
	}
	return c.check.Target.Thread.OpenNS(proc.Time)
}

// sameNS compares two of a thread's namespaces. A kernel without the kind has
// one for all; a pid namespace without init has no link yet. ESRCH says that the
// thread is gone.
func sameNS(d *proc.Dir, a, b proc.Kind) (bool, error) {
	if !proc.Has(a) {
		return true, nil
	}
	for missing := 0; ; missing++ {
		idA, err := d.NS(a)
		if errors.Is(err, os.ErrNotExist) {
			return false, unix.ESRCH // its number is being handed over by an exec
		}
		if err != nil || missing == surely {
			return false, err
		}
		idB, err := d.NS(b)
		if !errors.Is(err, os.ErrNotExist) {
			return idA == idB, err
		}
	}
}

// surely is how often one link is missing between two that are there before it
// is not there at all. That it is missing for a while, as proc finds out, is not
// enough: an exec by another thread takes as long as it takes.
const surely = 3
