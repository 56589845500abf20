// SPDX-License-Identifier: Apache-2.0

package stage

import "golang.org/x/sys/unix"

// Exited reports whether the process of a pidfd has exited, reaped or not.
func Exited(pidfd int) bool {
	fds := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n == 1
}
