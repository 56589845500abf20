// SPDX-License-Identifier: Apache-2.0

package enter

import (
	"encoding/binary"
	"fmt"
	"strings"

	"cloneat-emu/cmd/cloneat-emu/stage"
)

// vector puts an array of strings, as execve(2) takes it, into the shared memory.
func vector(m *stage.Machine, list []string) (uintptr, error) {
	var array []byte
	for _, s := range list {
		if strings.ContainsRune(s, 0) {
			return 0, fmt.Errorf("%q holds a NUL", s)
		}
		addr, err := m.Bytes(append([]byte(s), 0))
		if err != nil {
			return 0, err
		}
		array = binary.NativeEndian.AppendUint64(array, uint64(addr))
	}
	return m.Bytes(append(array, make([]byte, 8)...))
}
