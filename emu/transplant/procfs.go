// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"bytes"
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
	"cloneat-emu/ptrace"
)

// procPath is the path of a file about thread tid in the operator's /proc.
func procPath(tid int, name string) string {
	return "/proc/" + strconv.Itoa(tid) + "/" + name
}

// inOnePiece are files whose text the kernel makes at once, and the room that most of them
// need: what does not fill the room for it is whole after one read.
var inOnePiece = map[string]int{
	"status": 2048, "stat": 512, "auxv": 512, "comm": 32, "cgroup": 512, "personality": 16,
	"oom_score_adj": 16, "coredump_filter": 16,
}

// readProc reads a whole file about thread tid. It uses raw calls: os.ReadFile
// registers every file with the poller, which costs more than the reading.
func readProc(tid int, name string) ([]byte, error) {
	fd, err := openProc(tid, name, unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	room, whole := inOnePiece[name]
	if !whole {
		room = 4096
	}
	buf := make([]byte, 0, room)
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, make([]byte, len(buf))...)[:len(buf)]
		}
		n, err := ignoringEINTR(func() (int, error) { return unix.Read(fd, buf[len(buf):cap(buf)]) })
		if err != nil {
			return nil, procError(tid, name, err)
		}
		if n == 0 {
			return buf, nil
		}
		buf = buf[:len(buf)+n]
		if len(buf) < cap(buf) && whole {
			return buf, nil
		}
	}
}

func openProc(tid int, name string, mode int) (int, error) {
	fd, err := ignoringEINTR(func() (int, error) {
		return unix.Open(procPath(tid, name), mode|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return -1, procError(tid, name, err)
	}
	return fd, nil
}

// writeProc writes a knob of thread tid.
func writeProc(tid int, name, value string) error {
	fd, err := openProc(tid, name, unix.O_WRONLY)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if _, err := unix.Write(fd, []byte(value)); err != nil {
		return procError(tid, name, err)
	}
	return nil
}

// procError tells a thread that is gone from a file that is not there.
func procError(tid int, name string, err error) error {
	if err == unix.ESRCH || err == unix.ENOENT && !alive(tid) {
		return fmt.Errorf("/proc/%d/%s: %w", tid, name, ptrace.ErrGone)
	}
	return fmt.Errorf("/proc/%d/%s: %w", tid, name, err)
}

func alive(tid int) bool { return unix.Access(procPath(tid, "stat"), unix.F_OK) == nil }

func ignoringEINTR(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != unix.EINTR {
			return n, err
		}
	}
}

// nextLine cuts the first line off b.
func nextLine(b []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(b, []byte{'\n'})
	return line, rest
}

func parseHex(b []byte) uint64 {
	v, _ := strconv.ParseUint(string(b), 16, 64)
	return v
}

func parseDec(b []byte) uint64 {
	v, _ := strconv.ParseUint(string(b), 10, 64)
	return v
}

// sameNS reports whether two threads are in one namespace of a kind.
func sameNS(a, b int, kind proc.Kind) (bool, error) {
	if !proc.Has(kind) {
		return true, nil
	}
	name := "ns/" + string(kind)
	la, err := readLink(a, name)
	if err != nil {
		return false, err
	}
	lb, err := readLink(b, name)
	return la == lb, err
}

func readLink(tid int, name string) (string, error) {
	buf := make([]byte, unix.PathMax)
	n, err := unix.Readlink(procPath(tid, name), buf)
	if err != nil {
		return "", procError(tid, name, err)
	}
	return string(buf[:n]), nil
}
