// SPDX-License-Identifier: Apache-2.0

package check

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
	"cloneat-emu/emu/rights"
)

// mayUseHint is row 14: first whether the number is possible in the namespace N
// that the child would be born in, then whether the caller may choose one there.
func mayUseHint(c *Call) unix.Errno {
	if c.Hint == 0 {
		return 0
	}
	ns, err := c.birthplace()
	if err != nil {
		return c.unexpected(err)
	}
	if ns == nil {
		return c.firstHint()
	}
	defer ns.Close()
	possible, err := hintInRange(ns, c.Hint)
	if err != nil {
		return c.unexpected(err)
	}
	if !possible {
		return c.fail(unix.EINVAL, "hint %d is not below pid_max", c.Hint)
	}
	cred, err := c.Caller.cred()
	if err != nil {
		return c.unexpected(err)
	}
	may, err := mayChoose(cred, ns)
	if err != nil {
		return c.unexpected(err)
	}
	if !may {
		return c.fail(unix.EPERM, "hint without CAP_CHECKPOINT_RESTORE for the pid namespace")
	}
	return 0
}

// birthplace opens N: for self the caller's pid_for_children, else the target's
// active one. It is nil as long as N has no init, since the kernel does not open
// such a namespace; only the caller's own can be so.
func (c *Call) birthplace() (*os.File, error) {
	if !c.Target.Self {
		return c.Target.Thread.OpenNS(proc.PID)
	}
	ns, err := c.Caller.Thread.OpenNS(proc.PIDForChildren)
	if missing(err) {
		return nil, nil
	}
	return ns, err
}

// firstHint judges a hint for a namespace that has no init yet. That one cannot
// be looked at, but only unshare(2) leads to it, so it belongs to the user
// namespace that the caller was in then, and is in still unless it has gone down
// into another. Then the kernel's own check, at the clone3, has the last word.
func (c *Call) firstHint() unix.Errno {
	if c.Hint != 1 {
		return c.fail(unix.EINVAL, "hint %d, but the namespace has no init: only 1 is possible", c.Hint)
	}
	cred, err := c.Caller.cred()
	if err != nil {
		return c.unexpected(err)
	}
	for _, capability := range hintCapabilities {
		if cred.Capable(capability) {
			return 0
		}
	}
	return c.fail(unix.EPERM, "hint without CAP_CHECKPOINT_RESTORE")
}

// hintCapabilities are those of checkpoint_restore_ns_capable(): either will do.
var hintCapabilities = []int{unix.CAP_CHECKPOINT_RESTORE, unix.CAP_SYS_ADMIN}

func mayChoose(cred *rights.Cred, pidns *os.File) (bool, error) {
	owner, err := rights.Owner(pidns)
	if errors.Is(err, unix.EPERM) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer owner.Close()
	for _, capability := range hintCapabilities {
		if may, err := cred.NSCapable(owner, capability); may || err != nil {
			return may, err
		}
	}
	return false, nil
}
