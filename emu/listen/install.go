// SPDX-License-Identifier: Apache-2.0

package listen

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// ErrListenerExists is what Install wraps when the chain of filters of this thread
// has a listener already: the kernel allows one a chain (EBUSY).
var ErrListenerExists = errors.New("a seccomp filter with a listener is in force already (the kernel allows one a process): " +
	"is this program itself run by a container runtime or a sandbox that uses seccomp notifications?")

// Features says what the kernel granted beyond the bare filter.
type Features struct {
	// WaitKillable: once a notification is received the caller waits in a state that
	// only a fatal signal ends (SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, Linux 5.19).
	WaitKillable bool
	// NoNewPrivs: the filter had to be bought with no_new_privs, because the caller
	// has no CAP_SYS_ADMIN in its user namespace.
	NoNewPrivs bool
}

// Install puts the filter on the calling OS thread and returns its listener, close
// on exec. The numbers more are notified along with cloneat's. With CAP_SYS_ADMIN no_new_privs is left alone, or set-user-ID programs
// would break below; without it the kernel insists on it.
//
// Precondition: the goroutine is locked to its OS thread.
func Install(more ...uint32) (listener int, got Features, err error) {
	prog, err := Program(nativeArch, append([]uint32{NrCloneat}, more...)...)
	if err != nil {
		return -1, got, err
	}
	listener, got.WaitKillable, err = installProbing(prog)
	if errors.Is(err, unix.EACCES) {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return -1, got, fmt.Errorf("prctl(PR_SET_NO_NEW_PRIVS): %w", err)
		}
		got.NoNewPrivs = true
		listener, got.WaitKillable, err = installProbing(prog)
	}
	return listener, got, explain(err)
}

// explain puts words to the two errors of seccomp(2) that a person can act upon.
func explain(err error) error {
	switch {
	case errors.Is(err, unix.EBUSY):
		return fmt.Errorf("%w: %w", ErrListenerExists, err)
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOSYS):
		return fmt.Errorf("%w: this kernel has no seccomp filters with a listener (CONFIG_SECCOMP_FILTER, Linux 5.0)", err)
	}
	return err
}
