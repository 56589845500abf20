// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"errors"
	"sync"

	"golang.org/x/sys/unix"

	"cloneat-emu/ptrace"
)

// openTarget has a thread of the caller's open a pidfd of the target thread. That of its
// process names the leader, who has no namespaces when it is dead; where there are no
// pidfds of threads, the leader has to do.
func (c *call) openTarget(i *ptrace.Injection) (fd uintptr, err error) {
	t := c.check.Target
	if t.TID != t.TGID {
		fd, err = i.Call(unix.SYS_PIDFD_OPEN, uintptr(c.numberForCaller(t.TID)), unix.PIDFD_THREAD)
		if !errors.Is(err, unix.EINVAL) {
			return fd, err
		}
	}
	return i.Call(unix.SYS_PIDFD_OPEN, uintptr(c.numberForCaller(t.TGID)), 0)
}

// threadPIDFDs reports whether a thread that is no leader has a pidfd (Linux 6.9).
var threadPIDFDs = sync.OnceValue(func() bool {
	fd, err := unix.PidfdOpen(unix.Getpid(), unix.PIDFD_THREAD)
	if err != nil {
		return false
	}
	unix.Close(fd)
	return true
})
