// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// ReapKilled takes the ends of those of this thread's tracees that have been killed, so that those
// who wait for them hear of it while this thread goes on. Precondition: who is not killed has been
// let go. It reports false where one of them does not end soon.
func ReapKilled(tids []int) bool {
	const soon = time.Second
	tids = slices.Clone(tids)
	for end := time.Now().Add(soon); time.Now().Before(end); time.Sleep(100 * time.Microsecond) {
		// A leader is seen to have ended behind its threads.
		tids = slices.DeleteFunc(tids, func(tid int) bool {
			died, there := reap(tid, unix.WNOTHREAD)
			return died || !there
		})
		if len(tids) == 0 {
			return true
		}
	}
	return false
}

// ReapAllBut reaps a tracee that has been killed, and others that have, such as its process's other
// threads, without which it cannot be reaped. It leaves one, and gives up after some time, or where
// that one has ended.
func ReapAllBut(tid, but int, bound time.Duration) {
	const ended = waitFlags | unix.WEXITED | unix.WNOHANG
	end := time.Now().Add(bound)
	for i := 0; i < looks || time.Now().Before(end); i++ {
		var si siginfo
		err := waitidOf(unix.P_ALL, 0, &si, ended|unix.WNOWAIT)
		pid := int(si.pid)
		switch {
		case err != nil || pid == but:
			return
		case pid == 0:
			pause(i)
			continue
		}
		_ = waitid(pid, &siginfo{}, ended)
		if pid == tid {
			return
		}
	}
}
