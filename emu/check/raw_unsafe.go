// SPDX-License-Identifier: Apache-2.0

package check

import (
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ioctlValue makes an ioctl whose argument is a number and not an address.
func ioctlValue(f *os.File, request uint, value uintptr) (int, unix.Errno) {
	n, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), uintptr(request), value)
	return int(n), errno
}

// cloneArgs is struct clone_args of clone3(2), up to cgroup.
type cloneArgs struct {
	flags, pidfd, childTID, parentTID, exitSignal uint64
	stack, stackSize, tls, setTID, setTIDSize     uint64
	cgroup                                        uint64
}

// failingClone makes a clone3 that asks for the number pid in the thread's
// pid_for_children and cannot succeed: its pidfd is to be stored at an address
// that is none, which fails after the number was judged (copy_process(): first
// alloc_pid(), then pidfd_prepare() and put_user()). Sharing the memory saves
// copying it. Nothing must run in between, hence the raw call.
func failingClone(pid int) unix.Errno {
	var pin runtime.Pinner
	defer pin.Unpin()
	id := new(int32)
	*id = int32(pid)
	pin.Pin(id) // the kernel gets its address as a number
	args := cloneArgs{
		flags:      unix.CLONE_PIDFD | unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES,
		pidfd:      ^uint64(0),
		exitSignal: uint64(unix.SIGCHLD),
		setTID:     uint64(uintptr(unsafe.Pointer(id))),
		setTIDSize: 1,
	}
	_, _, errno := unix.RawSyscall(unix.SYS_CLONE3, uintptr(unsafe.Pointer(&args)), unsafe.Sizeof(args), 0)
	return errno
}
