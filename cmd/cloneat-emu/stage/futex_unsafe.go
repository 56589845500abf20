// SPDX-License-Identifier: Apache-2.0

package stage

import (
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// word is a 32-bit word of the shared memory.
func (m *Machine) word(offset uintptr) *uint32 {
	return (*uint32)(unsafe.Pointer(&m.mem[offset]))
}

// quad is a 64-bit word of the shared memory.
func (m *Machine) quad(offset uintptr) *uint64 {
	return (*uint64)(unsafe.Pointer(&m.mem[offset]))
}

// futexWait sleeps while *w is v, at most d; a wake-up may be spurious. The
// futex is not a private one: the stage maps the same page elsewhere.
func futexWait(w *uint32, v uint32, d time.Duration) {
	ts := unix.NsecToTimespec(int64(d))
	_, _, _ = unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(w)), 0, uintptr(v),
		uintptr(unsafe.Pointer(&ts)), 0, 0)
}

// futexWake wakes whoever waits for w.
func futexWake(w *uint32) {
	_, _, _ = unix.Syscall(unix.SYS_FUTEX, uintptr(unsafe.Pointer(w)), 1, 1)
}

// awaitChange returns when *w is not old any more, or when gone says so. The
// task's death wakes nobody, so it is looked for now and then.
func awaitChange(w *uint32, old uint32, gone func() bool) bool {
	for {
		if atomic.LoadUint32(w) != old {
			return true
		}
		futexWait(w, old, 100*time.Millisecond)
		if atomic.LoadUint32(w) == old && gone != nil && gone() {
			return atomic.LoadUint32(w) != old
		}
	}
}
