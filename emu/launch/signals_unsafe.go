// SPDX-License-Identifier: Apache-2.0

package launch

import (
	"encoding/binary"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sigaction is the kernel's struct, as rt_sigaction(2) takes it.
type sigaction struct {
	handler  uintptr
	flags    uint64
	restorer uintptr
	mask     uint64
}

// Values of sigaction.handler.
const (
	sigDfl = 0
	sigIgn = 1
)

// anchor is a variable whose symbol gives away the load address.
var anchor uint64 = 1

const anchorName = "cloneat-emu/emu/launch.anchor"

func anchorAddress() uint64 { return uint64(uintptr(unsafe.Pointer(&anchor))) }

func native(b []byte) uint64 { return binary.NativeEndian.Uint64(b) }

// setAction changes a disposition behind the Go runtime's back; old may be nil.
func setAction(sig int, act, old *sigaction) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(act)),
		uintptr(unsafe.Pointer(old)), 8, 0, 0)
	if errno != 0 {
		return fmt.Errorf("rt_sigaction(%d): %w", sig, errno)
	}
	return nil
}

// QuietStops keeps the kernel from telling this process of its tracees' stops by
// SIGCHLD (do_notify_parent_cldstop() in kernel/signal.c): each would interrupt some
// thread of ours, most often one that waits for a call, on another processor. Whoever
// waits by waitid(2) is woken without it.
func QuietStops() error {
	return setAction(int(unix.SIGCHLD), &sigaction{handler: sigDfl, flags: saNoCldStop}, nil)
}

// saNoCldStop is SA_NOCLDSTOP.
const saNoCldStop = 1

// prctlInt is a prctl(2) that stores a number.
func prctlInt(option int, to *int32) error {
	return unix.Prctl(option, uintptr(unsafe.Pointer(to)), 0, 0, 0)
}

// setMask sets the calling thread's mask.
func setMask(mask uint64) {
	unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&mask)), 0, 8, 0, 0)
}

// unblock takes one signal out of the calling thread's mask.
func unblock(sig int) {
	mask := uint64(1) << (sig - 1)
	unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_UNBLOCK, uintptr(unsafe.Pointer(&mask)), 0, 8, 0, 0)
}

// setName names the process as ps and killall see it.
func setName(name string) {
	b := append([]byte(name), 0)
	unix.RawSyscall6(unix.SYS_PRCTL, unix.PR_SET_NAME, uintptr(unsafe.Pointer(&b[0])), 0, 0, 0, 0)
}
