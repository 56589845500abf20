// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"errors"
	"runtime"

	"golang.org/x/sys/unix"
)

// ErrGone says that the tracee died (or was taken away by an exec of another
// thread of its group) while something was asked of it.
var ErrGone = errors.New("the tracee is gone")

// ErrArch says that this build is for an architecture whose tracees no call can be
// injected into.
var ErrArch = errors.New("calls can be emulated on x86-64 only: this build for " + runtime.GOARCH +
	" lacks the code that works on a stopped process (package ptrace)")

// ErrBusy says that a tracee could not be stopped within the bound: it waits
// in vfork(2), sleeps uninterruptibly, is frozen, or is traced by another.
var ErrBusy = errors.New("the process cannot be stopped now")

// ErrAgain says that a signal came before an injected call and got the tracee,
// which was let go for it. Nothing was done; attach and begin again.
var ErrAgain = errors.New("a signal came first")

// ErrNoSyscall says that no `syscall` instruction was found in the tracee.
var ErrNoSyscall = errors.New("no syscall instruction in the tracee's vdso")

// Gone reports whether err means that the tracee is dead, or was not there.
func Gone(err error) bool {
	return errors.Is(err, ErrGone) || errors.Is(err, unix.ESRCH)
}
