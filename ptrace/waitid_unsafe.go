// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// siginfo is the part of siginfo_t that waitid(2) fills, padded to its size.
type siginfo struct {
	signo, errno, code, _ int32
	pid                   int32
	uid                   uint32
	status                int32
	_                     [100]byte
}

func waitid(pid int, si *siginfo, options int) error {
	return waitidOf(unix.P_PID, pid, si, options)
}

func waitidOf(kind, pid int, si *siginfo, options int) error {
	var errno unix.Errno
	if options&unix.WNOHANG != 0 { // it does not block
		_, _, errno = unix.RawSyscall6(unix.SYS_WAITID, uintptr(kind), uintptr(pid),
			uintptr(unsafe.Pointer(si)), uintptr(options), 0, 0)
	} else {
		_, _, errno = unix.Syscall6(unix.SYS_WAITID, uintptr(kind), uintptr(pid),
			uintptr(unsafe.Pointer(si)), uintptr(options), 0, 0)
	}
	if errno != 0 {
		return errno
	}
	return nil
}
