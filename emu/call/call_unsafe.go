// SPDX-License-Identifier: Apache-2.0

package call

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	sysCloneat = 511
	// clearSighand is CLONEXT_CLEAR_SIGHAND in the second word: handlers are
	// code of ours, which a signal before execve would run.
	clearSighand = 1 << (0x38 - 32)
)

// cloneArgs is struct cloneat_args of <linux/cloneat.h>.
type cloneArgs struct {
	flags                *[2]uint32
	flagsSize            int32
	reserved1, reserved2 uint32
	_                    uint32
	stackBase, stackSize uint64
	parentTID, childTID  uint64
	reserved3            uint64
}

// vectors are the arguments of execve.
type vectors struct {
	path      *byte
	args, env []*byte
}

// Available reports whether this process has the call: cloneat(0, 0, NULL) is EFAULT
// where it exists.
func Available() bool {
	_, _, errno := unix.RawSyscall(sysCloneat, 0, 0, 0)
	return errno == unix.EFAULT
}

// cloneAndExec returns the child and its pidfd. The kernel gets addresses, so
// nothing may move.
func cloneAndExec(pid, hint int, x *vectors, fails int, mask *unix.Sigset_t) (int, int, unix.Errno) {
	var pinned runtime.Pinner
	defer pinned.Unpin()
	pidfd := new(int32)
	flags := &[2]uint32{uint32(unix.SIGCHLD) | unix.CLONE_PIDFD, clearSighand}
	pinned.Pin(pidfd)
	pinned.Pin(flags)
	args := &cloneArgs{
		flags: flags, flagsSize: int32(unsafe.Sizeof(*flags)),
		parentTID: uint64(uintptr(unsafe.Pointer(pidfd))),
	}
	child, errno := raw(pid, hint, args, x, fails, mask)
	return int(child), int(*pidfd), errno
}

// raw must not grow the stack nor do anything but raw system calls: see the
// package's comment.
//
//go:nosplit
//go:norace
func raw(pid, hint int, args *cloneArgs, x *vectors, fails int, mask *unix.Sigset_t) (uintptr, unix.Errno) {
	child, _, errno := unix.RawSyscall(sysCloneat, uintptr(pid), uintptr(hint), uintptr(unsafe.Pointer(args)))
	if child != 0 || errno != 0 {
		return child, errno
	}
	unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(mask)), 0, 8, 0, 0)
	_, _, errno = unix.RawSyscall(unix.SYS_EXECVE, uintptr(unsafe.Pointer(x.path)),
		uintptr(unsafe.Pointer(&x.args[0])), uintptr(unsafe.Pointer(&x.env[0])))
	why := uint32(errno)
	unix.RawSyscall(unix.SYS_WRITE, uintptr(fails), uintptr(unsafe.Pointer(&why)), 4)
	for {
		unix.RawSyscall(unix.SYS_EXIT_GROUP, 127, 0, 0)
	}
}
