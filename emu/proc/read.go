package proc

import (
	"bytes"

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

// Readlink reads a symbolic link below the directory, such as exe or cwd.
func (d *Dir) Readlink(name string) (string, error) {
	for buf := make([]byte, 256); ; buf = make([]byte, 4*len(buf)) {
		n, err := unix.Readlinkat(d.fd, name, buf)
		if err != nil {
			return "", d.wrap("readlink", name, err)
		}
		if n < len(buf) {
			return string(buf[:n]), nil
		}
	}
}

// Comm is the name of the thread, up to 15 bytes of any kind but NUL.
func (d *Dir) Comm() (string, error) {
	b, err := d.ReadFile("comm")
	return string(bytes.TrimSuffix(b, []byte("\n"))), err
}

// Cmdline is the argument vector as the process's memory shows it now.
func (d *Dir) Cmdline() ([]string, error) { return d.strings("cmdline") }

// Environ is the initial environment as the process's memory shows it now.
func (d *Dir) Environ() ([]string, error) { return d.strings("environ") }

func (d *Dir) strings(name string) ([]string, error) {
	b, err := d.ReadFile(name)
	if err != nil || len(b) == 0 {
		return nil, err
	}
	var list []string
	for _, s := range bytes.Split(bytes.TrimSuffix(b, []byte{0}), []byte{0}) {
		list = append(list, string(s))
	}
	return list, nil
}
