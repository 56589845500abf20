// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// notifAddFD is struct seccomp_notif_addfd.
type notifAddFD struct {
	id                        uint64
	flags, src, dst, dstFlags uint32
}

// addFD installs a copy of fd in the process that waits in the notification.
func addFD(listener int, id uint64, fd int) (int, error) {
	a := notifAddFD{id: id, src: uint32(fd), dstFlags: unix.O_CLOEXEC}
	got, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(listener), unix.SECCOMP_IOCTL_NOTIF_ADDFD, uintptr(unsafe.Pointer(&a)))
	if errno != 0 {
		return -1, errno
	}
	return int(got), nil
}

// cloneArgs is struct clone_args of Linux 5.5: up to set_tid_size.
type cloneArgs struct {
	flags, pidfd, childTID, parentTID, exitSignal, stack, stackSize, tls, setTID, setTIDSize uint64
}

// cloneSetTID tries to make a child with a pid that is taken, so that no child is made.
func cloneSetTID(pid int32) error {
	args := cloneArgs{exitSignal: uint64(unix.SIGCHLD), setTID: uint64(uintptr(unsafe.Pointer(&pid))), setTIDSize: 1}
	_, _, errno := unix.RawSyscall(unix.SYS_CLONE3, uintptr(unsafe.Pointer(&args)), unsafe.Sizeof(args), 0)
	runtime.KeepAlive(&pid)
	return errno
}

// uffdioAPI is struct uffdio_api.
type uffdioAPI struct{ api, features, ioctls uint64 }

// Numbers of linux/userfaultfd.h and linux/fs.h that x/sys/unix does not have.
const (
	uffdAPI         = 0xaa
	uffdioAPINumber = 0xc018aa3f
	pagemapScan     = 0xc0606610
	pageIsPresent   = 1 << 3
)

func userfaultAPI(fd int) error {
	a := uffdioAPI{api: uffdAPI}
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uffdioAPINumber, uintptr(unsafe.Pointer(&a))); errno != 0 {
		return errno
	}
	return nil
}

// scanArg is struct pm_scan_arg, scanRegion struct page_region.
type scanArg struct {
	size, flags, start, end, walkEnd, vec, vecLen, maxPages uint64
	inverted, mask, anyOf, returned                         uint64
}

type scanRegion struct{ start, end, categories uint64 }

// scanPagemap asks for the present pages around a variable.
func scanPagemap(fd int) error {
	var region scanRegion
	page := uint64(presentPage()) &^ 0xfff
	a := scanArg{
		start: page, end: page + 0x1000, vec: uint64(uintptr(unsafe.Pointer(&region))), vecLen: 1,
		anyOf: pageIsPresent, returned: pageIsPresent,
	}
	a.size = uint64(unsafe.Sizeof(a))
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), pagemapScan, uintptr(unsafe.Pointer(&a)))
	runtime.KeepAlive(&region)
	if errno != 0 {
		return errno
	}
	return nil
}

// touched is in a page that is there.
var touched uint64 = 1

func presentPage() uintptr {
	touched++
	return uintptr(unsafe.Pointer(&touched))
}

// mmMapSize asks for the size of struct prctl_mm_map, which takes the same configuration
// as setting one.
func mmMapSize() error {
	var size uint32
	_, _, errno := unix.RawSyscall6(unix.SYS_PRCTL, unix.PR_SET_MM, unix.PR_SET_MM_MAP_SIZE,
		uintptr(unsafe.Pointer(&size)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
