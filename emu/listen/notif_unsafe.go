// SPDX-License-Identifier: Apache-2.0

package listen

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// notif is struct seccomp_notif with its struct seccomp_data. Kernels may grow it
// (SECCOMP_GET_NOTIF_SIZES), but the ioctl's number carries this size and stays valid.
type notif struct {
	id    uint64
	pid   uint32
	flags uint32
	nr    int32
	arch  uint32
	ip    uint64
	args  [6]uint64
}

// notifResp is struct seccomp_notif_resp.
type notifResp struct {
	id    uint64
	val   int64
	err   int32
	flags uint32
}

// recv makes the blocking ioctl; the kernel wants the struct zeroed.
func recv(fd int) (n notif, err error) {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SECCOMP_IOCTL_NOTIF_RECV, uintptr(unsafe.Pointer(&n)))
	if errno != 0 {
		return n, errno
	}
	return n, nil
}

// uninterrupted makes a call until no signal of the runtime's interrupts it: all of
// them wait for the filter's lock so (mutex_lock_interruptible() in kernel/seccomp.c).
func uninterrupted(call func() unix.Errno) error {
	for {
		switch errno := call(); errno {
		case 0:
			return nil
		case unix.EINTR:
		default:
			return errno
		}
	}
}

func send(fd int, r *notifResp) error {
	return uninterrupted(func() unix.Errno {
		_, _, errno := unix.RawSyscall(unix.SYS_IOCTL, uintptr(fd), unix.SECCOMP_IOCTL_NOTIF_SEND, uintptr(unsafe.Pointer(r)))
		return errno
	})
}

// idValid asks with the number that kernels before 5.17 know as well.
func idValid(fd int, id uint64) error {
	return uninterrupted(func() unix.Errno {
		_, _, errno := unix.RawSyscall(unix.SYS_IOCTL, uintptr(fd), idValidOld, uintptr(unsafe.Pointer(&id)))
		return errno
	})
}

// idValidOld is SECCOMP_IOCTL_NOTIF_ID_VALID_WRONG_DIR: the direction bits of this
// ioctl were wrong until 47e33c05f9f0; every kernel still accepts them.
const idValidOld = 0x80082102

// Values of SECCOMP_IOCTL_NOTIF_SET_FLAGS (include/uapi/linux/seccomp.h).
const (
	ioctlSetFlags = 0x40082104
	flagSyncWake  = 1
)

// WakeHere makes a caller's notification wake its receiver on the caller's own
// processor, which the caller is about to leave (Linux 6.6): both work in turns.
// An older kernel wakes it anywhere.
func WakeHere(listener int) {
	_, _, _ = unix.RawSyscall(unix.SYS_IOCTL, uintptr(listener), ioctlSetFlags, flagSyncWake)
}
