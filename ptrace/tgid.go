// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"bytes"
	"os"
	"strconv"
)

// tgidOf reads the thread group of tid.
func tgidOf(tid int) (int, error) {
	b, err := readProc(tid, "status")
	if err != nil {
		return 0, ErrGone
	}
	return decField(b, tgidField), nil
}

// ownChild reports whether tid leads a thread group that is a child of this process's.
// For another thread of it nobody waits but its tracer.
func ownChild(tid int) bool {
	b, err := readProc(tid, "status")
	return err == nil && decField(b, tgidField) == tid && decField(b, ppidField) == os.Getpid()
}

const (
	tgidField = "\nTgid:\t"
	ppidField = "\nPPid:\t"
)

// decField is a number of /proc/TID/status; 0 if it is not there.
func decField(status []byte, name string) int {
	_, rest, _ := bytes.Cut(status, []byte(name))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	v, _ := strconv.Atoi(string(line))
	return v
}
