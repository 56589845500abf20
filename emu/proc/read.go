// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"bytes"
	"strings"

	"golang.org/x/sys/unix"
)

// readSize holds most files of /proc whole, so that one read sees one state.
const readSize = 8192

// A file whose text the kernel makes in one piece (fs/seq_file.c, single_open()) and
// that does not fill the room for it is whole after one read.
var inOnePiece = map[string]bool{"status": true, "stat": true}

// ReadFile reads a file below the directory to its end.
func (d *Dir) ReadFile(name string) ([]byte, error) {
	fd, err := d.openat(name, unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	buf := make([]byte, 0, readSize)
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := unix.Read(fd, buf[len(buf):cap(buf)])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, d.wrap("read", name, err)
		}
		if n == 0 {
			return buf, nil
		}
		buf = buf[:len(buf)+n]
		if len(buf) < cap(buf) && inOnePiece[name] {
			return buf, nil
		}
	}
}

// Comm is the name of the thread, up to 15 bytes of any kind but NUL.
func (d *Dir) Comm() (string, error) {
	b, err := d.ReadFile("comm")
	return string(bytes.TrimSuffix(b, []byte("\n"))), err
}

// Cmdline is the argument vector as the process's memory shows it now.
func (d *Dir) Cmdline() ([]string, error) {
	b, err := d.ReadFile("cmdline")
	if err != nil || len(b) == 0 {
		return nil, err
	}
	return strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00"), nil
}
