// SPDX-License-Identifier: Apache-2.0

package enter

import (
	"encoding/binary"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"cloneat-emu/cmd/cloneat-emu/stage"
)

// openHand makes the socket over which a task hands us a descriptor. To take one
// (pidfd_getfd(2)) is to trace the task, which is not dumpable: that is for who has
// CAP_SYS_PTRACE.
func (r *run) openHand() error {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("socketpair: %w", err)
	}
	theirs := os.NewFile(uintptr(fds[1]), "hand")
	r.table.own = append(r.table.own, theirs)
	r.fd.hand = r.table.add(theirs)
	r.hand = os.NewFile(uintptr(fds[0]), "hand")
	return nil
}

// take has a task send us a descriptor of its own.
func (r *run) take(from *stage.Task, fd int) (*os.File, error) {
	s := &steps{task: from}
	rights := unix.UnixRights(fd)
	var iov [16]byte // struct iovec: one byte, or there would be no message
	binary.NativeEndian.PutUint64(iov[0:], uint64(s.bytes([]byte{0})))
	binary.NativeEndian.PutUint64(iov[8:], 1)
	var msg [56]byte // struct msghdr
	binary.NativeEndian.PutUint64(msg[16:], uint64(s.bytes(iov[:])))
	binary.NativeEndian.PutUint64(msg[24:], 1)
	binary.NativeEndian.PutUint64(msg[32:], uint64(s.bytes(rights)))
	binary.NativeEndian.PutUint64(msg[40:], uint64(len(rights)))
	s.call("sendmsg(SCM_RIGHTS)", unix.SYS_SENDMSG, uintptr(r.fd.hand), s.bytes(msg[:]), unix.MSG_NOSIGNAL)
	if s.err != nil {
		return nil, s.err
	}
	got, err := received(r.hand)
	if err != nil {
		return nil, fmt.Errorf("the descriptor that was sent: %w", err)
	}
	return os.NewFile(uintptr(got), "pidfd"), nil
}

// received is the descriptor in the message that is there.
func received(hand *os.File) (int, error) {
	oob := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(int(hand.Fd()), make([]byte, 1), oob, unix.MSG_CMSG_CLOEXEC|unix.MSG_DONTWAIT)
	if err != nil {
		return -1, err
	}
	messages, err := unix.ParseSocketControlMessage(oob[:n])
	if err != nil {
		return -1, err
	}
	for _, m := range messages {
		if fds, err := unix.ParseUnixRights(&m); err == nil && len(fds) == 1 {
			return fds[0], nil
		}
	}
	return -1, unix.EMFILE // the kernel leaves out what there is no number for
}

// takeBorn has a task hand over its pidfd of a process that it made, and waits for that.
func (r *run) takeBorn(task, maker *stage.Task, fd int) (*born, error) {
	pidfd, err := r.take(maker, fd)
	if err != nil {
		return nil, err
	}
	task.Gone = func() bool { return stage.Exited(int(pidfd.Fd())) }
	if err := task.AwaitBirth(); err != nil {
		_ = pidfd.Close()
		return nil, fmt.Errorf("the command's process: %w", err)
	}
	return openBorn(task, pidfd)
}
