// SPDX-License-Identifier: Apache-2.0

package pidhint

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// A visitor is a fork of this process, born in the namespace, that makes a few
// raw calls and exits. It executes nothing and has one thread, so that it holds
// one number, and none any more once it was waited for: a helper that stayed
// would be in the way of its own number. Between fork and exit it may not enter
// the Go runtime, which has no other threads there: only functions that are
// nosplit, and whose signals are blocked.

// note is what a visitor is told and tells, in memory that both share.
type note struct {
	number int32 // the number asked for
	put    bool  // put the cursor back, if it is still at number; else set it
	text   [12]byte
	length uintptr // of text, what to write

	self  int32 // the visitor's own number
	taken bool  // number is in use
	wrote bool
	errno unix.Errno
}

// noteSize is the memory that a note is mapped in, a page at most.
const noteSize = unsafe.Sizeof(note{})

func noteIn(mem []byte) *note { return (*note)(unsafe.Pointer(&mem[0])) }

// fork makes a visitor and returns its number, as this process sees it. There
// is no exit signal: only a wait with __WALL for just this child sees it. The
// descriptors are shared: copies would keep open what is closed meanwhile.
//
//go:norace
//go:nosplit
func (n *note) fork(file uintptr) (pid int, errno unix.Errno) {
	child, _, errno := unix.RawSyscall6(unix.SYS_CLONE, unix.CLONE_FILES, 0, 0, 0, 0, 0)
	if errno != 0 || child != 0 {
		return int(child), errno
	}
	n.visit(file)
	for {
		unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
	}
}

// visit is what the visitor does.
//
//go:norace
//go:nosplit
func (n *note) visit(file uintptr) {
	self, _, _ := unix.RawSyscall(unix.SYS_GETPID, 0, 0, 0)
	n.self = int32(self)
	if n.put {
		if !n.unmoved(file) {
			return
		}
	} else if n.number != n.self && n.used(file, n.number) {
		n.taken = true
		return
	}
	if n.errno != 0 || n.length == 0 {
		return
	}
	_, _, n.errno = unix.RawSyscall6(unix.SYS_PWRITE64, file, uintptr(unsafe.Pointer(&n.text)), n.length, 0, 0, 0)
	n.wrote = n.errno == 0
}

// farthest bounds the numbers in use that unmoved looks at.
const farthest = 4096

// unmoved reports whether the cursor was still at number when the visitor was
// made: then all numbers between that and its own are in use.
//
//go:norace
//go:nosplit
func (n *note) unmoved(file uintptr) bool {
	if n.self < n.number || n.self-n.number > farthest {
		return false
	}
	for k := n.number + 1; k < n.self; k++ {
		if !n.used(file, k) {
			return false
		}
	}
	return true
}

// fOwner is struct f_owner_ex of fcntl(2).
type fOwner struct{ kind, pid int32 }

const ownerPID = 1 // F_OWNER_PID

// used asks the kernel for the number as alloc_pid() would: F_SETOWN_EX looks
// it up in the namespace's table (find_vpid() in fs/fcntl.c) and does not mind
// whether a process, a thread, or only a group or session holds it.
//
//go:norace
//go:nosplit
func (n *note) used(file uintptr, number int32) bool {
	owner := fOwner{ownerPID, number}
	_, _, errno := unix.RawSyscall(unix.SYS_FCNTL, file, unix.F_SETOWN_EX, uintptr(unsafe.Pointer(&owner)))
	if errno != 0 && errno != unix.ESRCH {
		n.errno = errno
	}
	return errno == 0
}
