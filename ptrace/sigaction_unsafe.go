// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// restartsNothing has a signal's handler, whoever's it is, end the calls that it comes upon with
// EINTR.
func restartsNothing(sig unix.Signal) {
	const restart = 0x10000000 // SA_RESTART
	var act struct {           // the kernel's sigaction
		handler         uintptr
		flags           uint64
		restorer, masks uint64
	}
	at := uintptr(unsafe.Pointer(&act))
	if _, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), 0, at, 8, 0, 0); errno == 0 {
		act.flags &^= restart
		unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), at, 0, 8, 0, 0)
	}
}
