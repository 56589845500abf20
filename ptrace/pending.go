// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"bytes"
	"strconv"

	"golang.org/x/sys/unix"
)

// pending reads which signals wait for the thread or its process.
func pending(tid int) uint64 {
	b, err := readProc(tid, "status")
	if err != nil {
		return 0
	}
	return pendingIn(b)
}

// pendsAlone reports whether sig waits for the thread, and not for its process.
func pendsAlone(tid int, sig unix.Signal) bool {
	b, err := readProc(tid, "status")
	return err == nil && hexField(b, "\nSigPnd:\t")>>(uint(sig)-1)&1 != 0
}

func pendingIn(status []byte) uint64 {
	return hexField(status, "\nSigPnd:\t") | hexField(status, "\nShdPnd:\t")
}

func hexField(status []byte, name string) uint64 { return field(status, name, 16) }

func field(status []byte, name string, base int) uint64 {
	_, rest, _ := bytes.Cut(status, []byte(name))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	v, _ := strconv.ParseUint(string(line), base, 64)
	return v
}
