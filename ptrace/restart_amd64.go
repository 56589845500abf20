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

// rewind makes a call that ends with EINTR on any interruption start again,
// where nothing but the supervisor's interrupt disturbed it: epoll_wait,
// sigtimedwait, semtimedop, accept and recv with a timeout and others return
// -EINTR where the rest of the kernel asks for a restart. Precondition: the
// tracee is in the interrupt stop, so that a signal still to be delivered is
// pending now.
func (s *Stopped) rewind(r Regs) Regs {
	if _, in := InSyscall(r); !in || int64(r.Rax) != -int64(unix.EINTR) || s.signalWaits() {
		return r
	}
	r.Rax = r.Orig_rax
	r.Orig_rax = ^uint64(0)
	r.Rip -= syscallLen
	return r
}

// signalWaits reports whether a signal is pending that the tracee does not block.
func (s *Stopped) signalWaits() bool {
	b, err := readProc(s.TID, "status")
	if err != nil {
		return true
	}
	return pendingIn(b)&^hexField(b, "\nSigBlk:\t") != 0
}
