// SPDX-License-Identifier: Apache-2.0

package ptrace

import "golang.org/x/sys/unix"

// keepsMask reports whether the tracee stands in a call that replaced its
// signal mask and saved the old one for the signal code to put back.
func keepsMask(r Regs) bool {
	nr, in := InSyscall(r)
	if !in {
		return false
	}
	switch nr {
	case unix.SYS_RT_SIGSUSPEND, unix.SYS_PPOLL, unix.SYS_PSELECT6, unix.SYS_EPOLL_PWAIT,
		unix.SYS_EPOLL_PWAIT2, unix.SYS_IO_PGETEVENTS, unix.SYS_IO_URING_ENTER:
		return true
	}
	return false
}

// signalWaits reports whether a signal is about to be delivered that ends calls:
// pending, not blocked, and with something to do. The text is the thread's status file.
func signalWaits(status []byte) bool {
	idle := hexField(status, "\nSigIgn:\t") | defaultIgnored&^hexField(status, "\nSigCgt:\t")
	return pendingIn(status)&^hexField(status, "\nSigBlk:\t")&^idle != 0
}

// defaultIgnored are the signals that do nothing where they are not caught. A
// tracee is told of them all the same (kernel: sig_ignored).
const defaultIgnored = 1<<(unix.SIGCHLD-1) | 1<<(unix.SIGCONT-1) | 1<<(unix.SIGURG-1) | 1<<(unix.SIGWINCH-1)

// catches reports whether the tracee has a handler for sig.
func (s *Stopped) catches(sig unix.Signal) bool {
	b, err := readProc(s.TID, "status")
	return err == nil && hexField(b, "\nSigCgt:\t")>>(uint(sig)-1)&1 != 0
}
