// SPDX-License-Identifier: Apache-2.0

package listen

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// Of all filters that a thread is under, the one with the strictest answer decides, and an
// errno is stricter than a notification (seccomp_run_filters() in kernel/seccomp.c). A
// container's profile that allows what it knows answers number 511 so.

// ErrAnswered: a filter further out answers the call, so that no listener hears of it.
var ErrAnswered = errors.New("a seccomp filter around this process answers system call 511 itself, " +
	"so that nobody can provide it: in a container, it takes a profile that lets it through " +
	"(docker, podman: --security-opt seccomp=unconfined)")

// Filtered reports whether a seccomp filter is in force on this thread.
func Filtered() bool {
	status, err := os.ReadFile("/proc/thread-self/status")
	return err == nil && strings.Contains(string(status), "\nSeccomp:\t2")
}

// Reaches makes the call behind a listener, and is ErrAnswered if that does not hear of
// it. A filter that kills for the call may end this process. Precondition: the main
// thread is locked to another goroutine (the Go runtime never lets it end).
func Reaches() error {
	listener, _, _, err := CallBehind()
	if err != nil {
		return err
	}
	defer unix.Close(listener)
	n, err := RecvWhileUsed(listener)
	if errors.Is(err, ErrNoUsers) {
		return ErrAnswered
	}
	if err != nil {
		return err
	}
	return Send(listener, n.ID, 0, unix.ENOSYS)
}

// CallBehind makes the call on a thread of its own, which ends with it, behind a new
// listener. What the call returns comes through the channel.
func CallBehind() (listener int, got Features, answer <-chan unix.Errno, err error) {
	installed := make(chan error, 1)
	returned := make(chan unix.Errno, 1)
	go func() {
		runtime.LockOSThread() // for good: the thread and its filter end with the goroutine
		var err error
		listener, got, err = Install()
		installed <- err
		if err == nil {
			_, _, errno := unix.Syscall(NrCloneat, 0, 0, 0)
			returned <- errno
		}
	}()
	err = <-installed
	return listener, got, returned, err
}

// RecvWhileUsed is Recv, or ErrNoUsers once nobody has the filter, which Recv itself does
// not notice before Linux 6.11.
func RecvWhileUsed(listener int) (Notification, error) {
	for {
		fds := []unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}}
		_, err := unix.Poll(fds, -1)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return Notification{}, fmt.Errorf("poll(listener): %w", err)
		case fds[0].Revents&unix.POLLIN != 0:
			return Recv(listener)
		case fds[0].Revents&unix.POLLHUP != 0:
			return Notification{}, ErrNoUsers
		}
	}
}
