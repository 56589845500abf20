// SPDX-License-Identifier: Apache-2.0

package ptrace

import "golang.org/x/sys/unix"

// withoutArguments returns the call that is as the given clone(2) and takes no arguments.
func withoutArguments(nr uintptr, args []uintptr) (plain uintptr, ok bool) {
	if nr != unix.SYS_CLONE || args[1] != 0 { // a stack
		return 0, false
	}
	switch args[0] {
	case uintptr(unix.SIGCHLD):
		return unix.SYS_FORK, true
	case uintptr(unix.SIGCHLD) | unix.CLONE_VFORK | unix.CLONE_VM:
		return unix.SYS_VFORK, true
	}
	return 0, false
}

// atOwnInsn reports whether calls are made at the instruction of the call that the tracee
// was stopped in, and change no flag there.
func (i *Injection) atOwnInsn() bool {
	return i.insn == i.saved.Rip-syscallLen && i.saved.Eflags&trapFlag == 0
}
