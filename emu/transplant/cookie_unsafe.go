// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// cookie is a name of a thread's cookie; 0 is none.
func cookie(tid int) (name uint64, err error) {
	err = unix.Prctl(unix.PR_SCHED_CORE, unix.PR_SCHED_CORE_GET, uintptr(tid), unix.PR_SCHED_CORE_SCOPE_THREAD,
		uintptr(unsafe.Pointer(&name)))
	return name, err
}
