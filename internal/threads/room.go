// SPDX-License-Identifier: Apache-2.0

package threads

import (
	"errors"
	"runtime"

	"golang.org/x/sys/unix"
)

// Room reports whether the kernel lets this process have another thread: whether it may
// fork, which is bounded by the same (copy_process() in kernel/fork.c).
func Room() bool {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var all, old unix.Sigset_t
	for i := range all.Val {
		all.Val[i] = ^all.Val[i]
	}
	if unix.PthreadSigmask(unix.SIG_SETMASK, &all, &old) != nil { // the child has no handlers
		return false
	}
	pid, errno := fork()
	_ = unix.PthreadSigmask(unix.SIG_SETMASK, &old, nil) // a mask the kernel gave
	if errno != 0 {
		return errno != unix.EAGAIN && errno != unix.ENOMEM
	}
	for err := error(unix.EINTR); errors.Is(err, unix.EINTR); {
		_, err = unix.Wait4(pid, nil, unix.WALL, nil)
	}
	return true
}

// fork makes a child that ends at once. It shares the descriptors: the end of one that has
// copies closes those, and whoever serves such a file may never answer (FUSE_FLUSH). There is no
// exit signal: only a wait with __WALL sees it. The child may not enter the Go runtime, which
// has no other threads there.
//
//go:norace
//go:nosplit
func fork() (pid int, errno unix.Errno) {
	child, _, errno := unix.RawSyscall6(unix.SYS_CLONE, unix.CLONE_FILES, 0, 0, 0, 0, 0)
	if errno != 0 || child != 0 {
		return int(child), errno
	}
	for {
		unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
	}
}
