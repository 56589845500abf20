// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"time"

	"golang.org/x/sys/unix"
)

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
