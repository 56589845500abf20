// SPDX-License-Identifier: Apache-2.0

package listen

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// sockFprog is struct sock_fprog; bpf.RawInstruction has the layout of sock_filter.
type sockFprog struct {
	n      uint16
	filter *bpf.RawInstruction
}

// baseFlags: a listener, and no speculation mitigations for the program's sake
// (kernels before 5.16 switch them on for every filtered process otherwise).
const baseFlags = unix.SECCOMP_FILTER_FLAG_NEW_LISTENER | unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW

// installProbing installs prog with WAIT_KILLABLE_RECV where the kernel knows it.
// An unknown flag is EINVAL and leaves nothing behind.
func installProbing(prog []bpf.RawInstruction) (fd int, killable bool, err error) {
	fd, err = install(prog, baseFlags|unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)
	if !errors.Is(err, unix.EINVAL) {
		return fd, err == nil, err
	}
	fd, err = install(prog, baseFlags)
	return fd, false, err
}

// install makes the seccomp(2) call.
func install(prog []bpf.RawInstruction, flags uintptr) (int, error) {
	fprog := sockFprog{n: uint16(len(prog)), filter: &prog[0]}
	fd, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags,
		uintptr(unsafe.Pointer(&fprog)))
	runtime.KeepAlive(prog)
	if errno != 0 {
		return -1, fmt.Errorf("seccomp(SET_MODE_FILTER, flags %#x): %w", flags, errno)
	}
	return int(fd), nil
}
