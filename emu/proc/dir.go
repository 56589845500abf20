// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strconv"

	"golang.org/x/sys/unix"
)

// Dir is an open directory of /proc, of a process (/proc/PID) or of a thread
// (/proc/PID/task/TID).
type Dir struct {
	// PID is the number of the process or thread, as /proc shows it.
	PID int
	fd  int
	at  string
}

// GoneError says that the process or thread has been reaped.
type GoneError struct {
	PID  int
	File string // what was to be read, with its full path
}

func (e *GoneError) Error() string {
	return fmt.Sprintf("read %s: process %d is gone", e.File, e.PID)
}

// Unwrap makes the error an ESRCH.
func (e *GoneError) Unwrap() error { return unix.ESRCH }

// Gone reports whether err says that a process or thread is no more.
func Gone(err error) bool {
	var gone *GoneError
	return errors.As(err, &gone)
}

// Open opens /proc/PID. The number may also be that of a thread; then what
// belongs to a thread (status, stat, ns) is that thread's.
func Open(pid int) (*Dir, error) {
	at := path.Join("/proc", strconv.Itoa(pid))
	fd, err := unix.Open(at, unix.O_DIRECTORY|unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err == unix.ENOENT || err == unix.ESRCH {
		return nil, &GoneError{PID: pid, File: at}
	}
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: at, Err: err}
	}
	return &Dir{PID: pid, fd: fd, at: at}, nil
}

// Thread opens the directory of one thread of the process; the error is a
// [GoneError] if it has no such thread. It is only for the Dir of a process.
func (d *Dir) Thread(tid int) (*Dir, error) {
	name := path.Join("task", strconv.Itoa(tid))
	fd, err := unix.Openat(d.fd, name, unix.O_DIRECTORY|unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err == unix.ENOENT || err == unix.ESRCH {
		return nil, &GoneError{PID: tid, File: path.Join(d.at, name)}
	}
	if err != nil {
		return nil, d.wrap("open", name, err)
	}
	return &Dir{PID: tid, fd: fd, at: path.Join(d.at, name)}, nil
}

// Close gives the directory back; a second time it does nothing. Reads through
// it fail from then on.
func (d *Dir) Close() error {
	fd := d.fd
	d.fd = -1
	if fd < 0 {
		return nil
	}
	return unix.Close(fd)
}

// Alive reports whether the process or thread has not been reaped yet; a zombie
// is alive in this sense.
func (d *Dir) Alive() bool { return unix.Faccessat(d.fd, "stat", unix.F_OK, 0) == nil }

// still is a GoneError if the process has been reaped.
func (d *Dir) still(file string) error {
	if d.Alive() {
		return nil
	}
	return &GoneError{PID: d.PID, File: file}
}

// Open opens a file below the directory with open(2)'s flags.
func (d *Dir) Open(name string, flags int) (*os.File, error) {
	fd, err := d.openat(name, flags)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), path.Join(d.at, name)), nil
}

func (d *Dir) openat(name string, flags int) (int, error) {
	fd, err := unix.Openat(d.fd, name, flags|unix.O_CLOEXEC, 0)
	for err == unix.EINTR {
		fd, err = unix.Openat(d.fd, name, flags|unix.O_CLOEXEC, 0)
	}
	return fd, d.wrap("open", name, err)
}

// wrap tells a process that is gone from a file that this kernel does not have,
// since both are ENOENT.
func (d *Dir) wrap(op, name string, err error) error {
	if err == nil {
		return nil
	}
	file := path.Join(d.at, name)
	if err == unix.ESRCH || err == unix.ENOENT && !d.Alive() {
		return &GoneError{PID: d.PID, File: file}
	}
	return &os.PathError{Op: op, Path: file, Err: err}
}
