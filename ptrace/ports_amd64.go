// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"errors"

	"golang.org/x/sys/unix"
)

const noteIOPerm = 0x201 // NT_386_IOPERM

// Ports reads which I/O ports ioperm(2) has opened for the thread: a bit for each,
// which is 0 if it may be used. Nil is none at all.
func (s *Stopped) Ports() ([]byte, error) {
	buf := make([]byte, 8<<10)
	n, err := regset("GETREGSET IOPERM", s.TID, noteIOPerm, buf, false)
	switch {
	case errors.Is(err, unix.ENXIO), errors.Is(err, unix.EINVAL): // none, or a kernel without them
		return nil, nil
	case err != nil:
		return nil, err
	}
	return buf[:n], nil
}
