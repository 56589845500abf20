// SPDX-License-Identifier: Apache-2.0

package abi

import (
	"golang.org/x/sys/unix"

	"cloneat-emu/internal/release"
)

// maxSignal is _NSIG, the highest number that valid_signal() accepts.
const maxSignal = 64

// excluded lists flags that do not go together: one of a with any of b.
//
// From copy_process() in kernel/fork.c, but the last three: CLONE_PIDFD stores
// where CLONE_PARENT_SETTID would (kernel_clone()), CLONE_CLEAR_SIGHAND cannot
// empty a table that is shared (clone3_args_valid()), and a list of semaphore
// undos is for one IPC namespace (copy_namespaces()).
//
// Not here, since kernels differ or the caller's state decides: CLONE_PIDFD with
// CLONE_THREAD, CLONE_PARENT of an init and CLONE_THREAD after setns to a pid namespace. The
// kernel that makes the child answers those.
var excluded = []struct{ a, b uint64 }{
	{unix.CLONE_FS, unix.CLONE_NEWNS | unix.CLONE_NEWUSER},
	{unix.CLONE_THREAD, unix.CLONE_NEWUSER | unix.CLONE_NEWPID},
	{unix.CLONE_PIDFD, unix.CLONE_DETACHED},
	{unix.CLONE_PIDFD, unix.CLONE_PARENT_SETTID},
	{unix.CLONE_SIGHAND, unix.CLONE_CLEAR_SIGHAND},
	{unix.CLONE_NEWIPC, unix.CLONE_SYSVSEM},
}

// required lists flags of which the first is nothing without the second.
var required = []struct{ flag, needs uint64 }{
	{unix.CLONE_THREAD, unix.CLONE_SIGHAND},
	{unix.CLONE_SIGHAND, unix.CLONE_VM},
}

// validCombination applies clone(2)'s rules for flags that need no look at the
// caller. Precondition: CLONE_DETACHED has not been dropped yet.
func validCombination(flags uint64) bool {
	for _, x := range excluded {
		if flags&x.a != 0 && flags&x.b != 0 {
			return false
		}
	}
	if flags&unix.CLONE_NEWTIME != 0 && flags&unix.CLONE_VM != 0 && !timeStays() {
		return false
	}
	for _, r := range required {
		if flags&r.flag != 0 && flags&r.needs == 0 {
			return false
		}
	}
	return true
}

// timeStays reports whether a child that shares its memory lives in its parent's time namespace
// until it executes a program (exec_task_namespaces(), Linux 6.2). Before, clone3(2) maps the
// page of the new namespace's clock for parent and child, and frees it with the namespace.
func timeStays() bool { return release.Since(6, 2) }

// validStack is clone3_stack_valid(): none, or a range of user addresses. The
// limit is the first address past those.
func validStack(base, size, limit uint64) bool {
	if base == 0 || size == 0 {
		return base == size
	}
	return size <= limit && base <= limit-size // access_ok(), which cannot wrap
}
