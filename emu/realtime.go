// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"golang.org/x/sys/unix"
)

// unhurried lifts a realtime target's RLIMIT_RTTIME until restore. To clone much memory takes
// long, the target has not asked for it, and whoever runs so long without a sleep is sent a
// SIGXCPU, or is killed (watchdog() in kernel/sched/rt.c). Where the supervisor may not raise
// the hard limit (CAP_SYS_RESOURCE), it raises the soft one, which of its own user it may.
func unhurried(target int) (restore func(), err error) {
	restore = func() {}
	attr, err := schedulingOf(target)
	if err != nil || attr.Policy != unix.SCHED_FIFO && attr.Policy != unix.SCHED_RR {
		return restore, err
	}
	old, err := limitOf(target, "Max realtime timeout")
	if err != nil || old.Cur == unix.RLIM_INFINITY {
		return restore, err
	}
	for _, most := range []uint64{unix.RLIM_INFINITY, old.Max} {
		lifted := unix.Rlimit{Cur: most, Max: most}
		if unix.Prlimit(target, unix.RLIMIT_RTTIME, &lifted, nil) == nil {
			return func() { _ = unix.Prlimit(target, unix.RLIMIT_RTTIME, &old, nil) }, nil
		}
	}
	return restore, nil
}
