// SPDX-License-Identifier: Apache-2.0

package check

import (
	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
)

// callerState is what copy_process() refuses in a clone of the caller's own
// because of the state that the caller is in: siblings of an init, which nobody
// would reap, and threads in another pid namespace than their process.
func callerState(c *Call) unix.Errno {
	if !c.Target.Self {
		return 0
	}
	if c.Args.Has(unix.CLONE_PARENT) && c.Caller.isInit() {
		return c.fail(unix.EINVAL, "CLONE_PARENT by the init of a pid namespace")
	}
	if !c.Args.Has(unix.CLONE_THREAD) {
		return 0
	}
	own, err := c.Caller.pidNS()
	if err != nil {
		return c.unexpected(err)
	}
	born, err := c.Caller.Thread.NS(proc.PIDForChildren)
	if err != nil && !missing(err) {
		return c.unexpected(err)
	}
	if born != own {
		return c.fail(unix.EINVAL, "CLONE_THREAD, but children are born in another pid namespace")
	}
	return 0
}

// isInit reports whether the caller's process is number 1 where it lives.
func (c *Caller) isInit() bool { return c.pid() == 1 }
