// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// Forbidden is why no thread here can be traced: a filter around this process answers
// ptrace(2). The kernel has nothing to say but that this thread is no tracee of itself.
func Forbidden() error {
	err := request("INTERRUPT", unix.PTRACE_INTERRUPT, os.Getpid(), 0, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	return err
}

// WaitForbidden is the same for waitid(2), which says that this process is no child of itself.
func WaitForbidden() error {
	var si siginfo
	err := waitid(os.Getpid(), &si, waitFlags|unix.WEXITED|unix.WNOHANG)
	if errors.Is(err, unix.ECHILD) {
		return nil
	}
	return err
}
