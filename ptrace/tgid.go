package ptrace

import (
	"bytes"
	"strconv"
)

// tgidOf reads the thread group of tid.
func tgidOf(tid int) (int, error) {
	b, err := readProc(tid, "status")
	if err != nil {
		return 0, ErrGone
	}
	_, rest, _ := bytes.Cut(b, []byte("\nTgid:\t"))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	return strconv.Atoi(string(line))
}
