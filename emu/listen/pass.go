// SPDX-License-Identifier: Apache-2.0

package listen

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// SendFD passes fd over the unix socket sock, together with a message (never empty
// on the wire: a message without bytes would carry no descriptor).
func SendFD(sock, fd int, msg []byte) error {
	if len(msg) == 0 {
		msg = []byte{0}
	}
	if err := unix.Sendmsg(sock, msg, unix.UnixRights(fd), nil, unix.MSG_NOSIGNAL); err != nil {
		return fmt.Errorf("sendmsg(SCM_RIGHTS): %w", err)
	}
	return nil
}

// RecvFD takes one message of at most len(buf) bytes and the descriptor with it,
// close on exec; file is nil if none came along. n is 0 when the peer has closed.
func RecvFD(sock int, buf []byte) (file *os.File, n int, err error) {
	oob := make([]byte, unix.CmsgSpace(4))
	for {
		var oobn int
		n, oobn, _, _, err = unix.Recvmsg(sock, buf, oob, unix.MSG_CMSG_CLOEXEC)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, 0, fmt.Errorf("recvmsg: %w", err)
		}
		file, err = parseFD(oob[:oobn])
		return file, n, err
	}
}

// parseFD takes the descriptor out of a control message.
func parseFD(oob []byte) (*os.File, error) {
	if len(oob) == 0 {
		return nil, nil
	}
	msgs, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil, fmt.Errorf("parsing a control message: %w", err)
	}
	for _, m := range msgs {
		fds, err := unix.ParseUnixRights(&m)
		if err == nil && len(fds) == 1 {
			return os.NewFile(uintptr(fds[0]), "seccomp listener"), nil
		}
	}
	return nil, fmt.Errorf("no descriptor in a control message of %d bytes", len(oob))
}
