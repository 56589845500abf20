// SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
)

// translate finds the supervisor's number for the caller's pid argument, which
// may be that of a thread. A number that nothing has is a [proc.GoneError].
func (c *Call) translate() (int, error) {
	if c.Caller.level() == 0 {
		return c.Pid, nil // one and the same pid namespace
	}
	ns, err := c.Caller.Thread.OpenNS(proc.PID)
	if err != nil {
		return 0, err
	}
	defer ns.Close()
	n, errno := pidFrom(ns, c.Pid)
	switch errno {
	case 0:
		return n, nil
	case unix.ESRCH:
		return 0, &proc.GoneError{PID: c.Pid, File: ns.Name()}
	case unix.ENOTTY: // before 6.11
		return (&scan{c.Caller, c.Pid}).find()
	}
	return 0, fmt.Errorf("ioctl(NS_GET_PID_FROM_PIDNS) %s: %w", ns.Name(), errno)
}

// pidFrom asks the kernel (6.11) which number here the thread pid of a pid
// namespace has: ESRCH if there is none, ENOTTY from kernels that do not know.
func pidFrom(ns *os.File, pid int) (int, unix.Errno) {
	return ioctlValue(ns, unix.NS_GET_PID_FROM_PIDNS, uintptr(pid))
}
