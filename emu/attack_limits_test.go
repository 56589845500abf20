// SPDX-License-Identifier: Apache-2.0

package emu_test

import (
	"golang.org/x/sys/unix"
)

// limit sets a limit of a process to next to nothing: the soft one, which can be undone.
func limit(which int, to uint64) func(*scene, victim) func() {
	return func(_ *scene, v victim) func() {
		var was unix.Rlimit
		if unix.Prlimit(v.pid, which, nil, &was) != nil {
			return func() {}
		}
		tiny := unix.Rlimit{Cur: to, Max: was.Max}
		if unix.Prlimit(v.pid, which, &tiny, nil) != nil {
			return func() {}
		}
		return func() { _ = unix.Prlimit(v.pid, which, &was, nil) }
	}
}

// nice has a thread wait for all others, on one processor.
func nice(_ *scene, v victim) func() {
	var was, one unix.CPUSet
	prio, perr := unix.Getpriority(unix.PRIO_PROCESS, v.tid)
	if perr != nil || unix.SchedGetaffinity(v.tid, &was) != nil {
		return func() {}
	}
	for cpu := range 1 << 10 {
		if was.IsSet(cpu) {
			one.Set(cpu)
			break
		}
	}
	_ = unix.Setpriority(unix.PRIO_PROCESS, v.tid, 19)
	_ = unix.SchedSetaffinity(v.tid, &one)
	return func() {
		_ = unix.Setpriority(unix.PRIO_PROCESS, v.tid, 20-prio) // the kernel's own number
		_ = unix.SchedSetaffinity(v.tid, &was)
	}
}
