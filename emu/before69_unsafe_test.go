// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"

	"cloneat-emu/ptrace"
)

// forgetThreadPIDFDs has this thread find a kernel before Linux 6.9, whose pidfds are of processes
// only: by a filter of its own. It cannot suspend others' from then on.
func forgetThreadPIDFDs() {
	const (
		nr, flags = 0, 24 // in struct seccomp_data: the call, and the lower half of its second argument
		load      = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		equal     = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		end       = unix.BPF_RET | unix.BPF_K
	)
	filter := []unix.SockFilter{
		{Code: load, K: nr},
		{Code: equal, Jf: 3, K: unix.SYS_PIDFD_OPEN},
		{Code: load, K: flags},
		{Code: equal, Jf: 1, K: unix.PIDFD_THREAD},
		{Code: end, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EINVAL)},
		{Code: end, K: unix.SECCOMP_RET_ALLOW},
	}
	ptrace.CommonFilters() // those of the process, before this thread has one more
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	err := unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&prog)), 0, 0)
	runtime.KeepAlive(filter)
	if err != nil {
		panic(err)
	}
}
