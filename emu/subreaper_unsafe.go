// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// isSubreaper is PR_GET_CHILD_SUBREAPER.
func isSubreaper() bool {
	var is int32
	err := unix.Prctl(unix.PR_GET_CHILD_SUBREAPER, uintptr(unsafe.Pointer(&is)), 0, 0, 0)
	return err == nil && is != 0
}
