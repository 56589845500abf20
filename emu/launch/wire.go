// SPDX-License-Identifier: Apache-2.0

package launch

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"golang.org/x/sys/unix"
)

// Kind says what a Message is about.
type Kind string

// The messages between front and keeper.
const (
	Started   Kind = "started"   // keeper: the program runs; Pid
	Failed    Kind = "failed"    // keeper: it could not be started; Errno, Text
	Stopped   Kind = "stopped"   // keeper: by job control; Signal
	Continued Kind = "continued" // keeper
	Ended     Kind = "ended"     // keeper, its last word; Status
	Resumed   Kind = "resumed"   // front: what Stopped asked for is over
	Relay     Kind = "relay"     // front: Signal came to the front
	Kill      Kind = "kill"      // front: send Signal to the program
)

// Message is one datagram.
type Message struct {
	Kind   Kind
	Pid    int        `json:",omitempty"`
	Signal int        `json:",omitempty"`
	Status int        `json:",omitempty"` // as wait4(2) gives it
	Stop   int        `json:",omitempty"` // of Stopped, and the Resumed that answers it; of Relay: the last one before the signal
	Errno  unix.Errno `json:",omitempty"`
	Text   string     `json:",omitempty"`
}

// maxMessage bounds a datagram in bytes.
const maxMessage = 64 << 10

// Pair makes a connected pair of sockets that keep message boundaries.
func Pair() (a, b int, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, -1, fmt.Errorf("socketpair: %w", err)
	}
	return fds[0], fds[1], nil
}

// Write sends one message.
func Write(sock int, m any) error {
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	for {
		err = unix.Sendto(sock, data, unix.MSG_NOSIGNAL, nil)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// Read waits for one message; io.EOF when the peer is gone.
func Read(sock int, m any) error {
	buf := make([]byte, maxMessage)
	for {
		n, _, err := unix.Recvfrom(sock, buf, 0)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.ECONNRESET):
			return io.EOF
		case err != nil:
			return fmt.Errorf("recvfrom: %w", err)
		case n == 0:
			return io.EOF
		}
		return json.Unmarshal(buf[:n], m)
	}
}
