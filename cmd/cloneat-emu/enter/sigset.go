// SPDX-License-Identifier: Apache-2.0

package enter

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// signalSet is a kernel sigset_t.
func signalSet(signals []unix.Signal) []byte {
	var set uint64
	for _, s := range signals {
		set |= 1 << (s - 1)
	}
	return binary.NativeEndian.AppendUint64(nil, set)
}
