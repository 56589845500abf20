// SPDX-License-Identifier: Apache-2.0

package enter

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// clone3Size is that of struct clone_args with set_tid and set_tid_size.
const clone3Size = 80

// clone3Args lays out a struct clone_args. setTID is the address of the number
// that is asked for, 0 for none; pidfd the address to store a pidfd at.
func clone3Args(flags uint64, pidfd uintptr, exitSignal unix.Signal, setTID uintptr) []byte {
	n := uint64(0)
	if setTID != 0 {
		n = 1
	}
	var b []byte
	for _, v := range []uint64{flags, uint64(pidfd), 0, 0, uint64(exitSignal), 0, 0, 0, uint64(setTID), n} {
		b = binary.NativeEndian.AppendUint64(b, v)
	}
	return b
}
