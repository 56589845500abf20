// SPDX-License-Identifier: Apache-2.0

package enter

import "golang.org/x/sys/unix"

// peer opens the slave of a terminal. The ioctl takes flags by value and returns
// a descriptor, which no wrapper of x/sys does.
func peer(master int) (int, error) {
	fd, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(master), unix.TIOCGPTPEER,
		unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC)
	if errno != 0 {
		return -1, errno
	}
	return int(fd), nil
}
