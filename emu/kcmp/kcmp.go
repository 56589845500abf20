// SPDX-License-Identifier: Apache-2.0

// Package kcmp asks the kernel whether two threads share a resource, by
// kcmp(2). It has no state and may be used from any thread.
package kcmp

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Kind is what may be shared (include/uapi/linux/kcmp.h).
type Kind int

// The kinds that a clone flag shares.
const (
	VM      Kind = 1
	Files   Kind = 2
	FS      Kind = 3
	Sighand Kind = 4
	IO      Kind = 5
	SysVSem Kind = 6
)

// Same reports whether the threads a and b share the resource; none on both
// sides counts as shared. The asker needs PTRACE_MODE_READ_REALCREDS on both;
// the error is EPERM without, ESRCH where a thread is gone.
func Same(a, b int, kind Kind) (bool, error) {
	r, _, errno := unix.Syscall6(unix.SYS_KCMP, uintptr(a), uintptr(b), uintptr(kind), 0, 0, 0)
	if errno != 0 {
		return false, fmt.Errorf("kcmp(%d, %d, %d): %w", a, b, kind, errno)
	}
	return r == 0, nil
}

// SameFile reports whether a descriptor of the thread a and one of b are of one open file.
// Errors are those of [Same], and EBADF.
func SameFile(a, fdA, b, fdB int) (bool, error) {
	const file = 0
	r, _, errno := unix.Syscall6(unix.SYS_KCMP, uintptr(a), uintptr(b), file, uintptr(fdA), uintptr(fdB), 0)
	if errno != 0 {
		return false, fmt.Errorf("kcmp(%d, %d, file %d, %d): %w", a, b, fdA, fdB, errno)
	}
	return r == 0, nil
}
