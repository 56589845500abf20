// SPDX-License-Identifier: Apache-2.0

package listen

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Notification is one call that waits for its answer.
type Notification struct {
	ID   uint64    // cookie of the notification; dead once the call is interrupted
	Nr   int       // the call's number: cloneat's, or one that Install was given besides
	TID  int       // the calling thread, as the receiver's pid namespace numbers it
	IP   uint64    // address after the syscall instruction
	Args [6]uint64 // the argument registers
}

// ErrNoUsers: no process has the filter any more.
var ErrNoUsers = errors.New("no process uses the filter any more")

// Gone reports whether err says that the call behind a notification is over: the
// caller was interrupted or killed.
func Gone(err error) bool { return errors.Is(err, unix.ENOENT) }

// Recv takes the next notification, waiting for one. An error for which Gone is
// true means that the caller died first: receive again.
func Recv(listener int) (Notification, error) {
	raw, err := recv(listener)
	for errors.Is(err, unix.EINTR) {
		raw, err = recv(listener)
	}
	if err != nil {
		return Notification{}, fmt.Errorf("ioctl(SECCOMP_IOCTL_NOTIF_RECV): %w", err)
	}
	return Notification{ID: raw.id, Nr: int(raw.nr), TID: int(raw.pid), IP: raw.ip, Args: raw.args}, nil
}

// Valid reports whether the call behind id still waits. Whatever was read about the
// caller by its number before this said true was read about the caller.
func Valid(listener int, id uint64) bool { return idValid(listener, id) == nil }

// Send answers: the call returns value, or -errno if errno is not 0. Gone(err) if
// nobody waits for the answer any more.
func Send(listener int, id uint64, value int64, errno unix.Errno) error {
	resp := notifResp{id: id, val: value, err: -int32(errno)}
	if errno != 0 {
		resp.val = 0
	}
	if err := send(listener, &resp); err != nil {
		return fmt.Errorf("ioctl(SECCOMP_IOCTL_NOTIF_SEND) id %#x: %w", id, err)
	}
	return nil
}

// Unused reports whether nobody uses the filter any more.
func Unused(listener int) bool {
	fds := []unix.PollFd{{Fd: int32(listener)}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0 && fds[0].Revents&unix.POLLHUP != 0
}

// WaitUnused blocks until nobody uses the filter any more, or wake becomes
// readable or hangs up.
func WaitUnused(listener, wake int) error {
	// Without POLLIN, only the hang-up is reported.
	fds := []unix.PollFd{{Fd: int32(listener)}, {Fd: int32(wake), Events: unix.POLLIN}}
	for {
		_, err := unix.Poll(fds, -1)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return fmt.Errorf("poll(listener): %w", err)
		case fds[0].Revents&unix.POLLHUP != 0, fds[1].Revents != 0:
			return nil
		}
		// POLLERR: a signal of the runtime's came while the kernel waited for the
		// filter's lock (mutex_lock_interruptible() in seccomp_notify_poll()).
	}
}
