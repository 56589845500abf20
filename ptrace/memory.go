// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"errors"
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"
)

// Read fills b from the tracee's memory at addr, whatever its protection.
func (s *Stopped) Read(addr uintptr, b []byte) error {
	return s.access(addr, b, unix.O_RDONLY, unix.Pread, unix.PtracePeekData)
}

// Write puts b into the tracee's memory at addr, read-only mappings included:
// a private page is copied first, as for a debugger's breakpoint (FOLL_FORCE).
func (s *Stopped) Write(addr uintptr, b []byte) error {
	return s.access(addr, b, unix.O_WRONLY, unix.Pwrite, unix.PtracePokeData)
}

// access opens the tracee's memory for one reading or writing.
func (s *Stopped) access(addr uintptr, b []byte, mode int, do transfer, slowly pokes) error {
	fd, err := s.openMemory(mode)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return s.accessBy(fd, addr, b, do, slowly)
}

type (
	transfer func(fd int, b []byte, at int64) (int, error)
	pokes    func(tid int, addr uintptr, b []byte) (int, error)
)

// noMemory stands for a descriptor that could not be had: what was begun in a tracee must
// come to its end without any, by many requests. So must it where the kernel lets nobody
// overrule protections through the file (proc_mem.force_override=never, Linux 6.12), and where the
// supervisor is confined to other files (Landlock).
const noMemory = -1

// openMemory opens the tracee's memory.
func (s *Stopped) openMemory(mode int) (int, error) {
	fd, err := openProc(s.TID, "mem", mode)
	if errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) || errors.Is(err, unix.EACCES) {
		return noMemory, nil
	}
	return fd, err
}

func (s *Stopped) accessBy(fd int, addr uintptr, b []byte, do transfer, slowly pokes) error {
	if fd == noMemory {
		do = func(int, []byte, int64) (int, error) { return slowly(s.TID, addr, b) }
	}
	n, err := do(fd, b, int64(addr))
	if fd != noMemory && errors.Is(err, unix.EIO) {
		n, err = slowly(s.TID, addr, b)
	}
	switch {
	case n == len(b):
		return nil
	case err == nil:
		return fmt.Errorf("memory of pid %d: %w", s.TID, ErrGone)
	case errors.Is(err, unix.EIO):
		return fmt.Errorf("memory of pid %d at %#x: %w", s.TID, addr, s.orGone(unix.EFAULT))
	}
	return fmt.Errorf("memory of pid %d at %#x: %w", s.TID, addr, err)
}

// orGone is err, or ErrGone where the number is nobody's any more that this thread has
// stopped: after an exec of another thread it is the new program's.
func (s *Stopped) orGone(err error) error {
	if _, lost := s.SigMask(); Gone(lost) {
		return ErrGone
	}
	return err
}

// openProc opens a file of /proc/TID, which is ErrGone for a dead thread. It
// goes without os.File, whose descriptors the Go runtime looks at in many ways.
func openProc(tid int, name string, mode int) (int, error) {
	path := "/proc/" + strconv.Itoa(tid) + "/" + name
	fd, err := unix.Open(path, mode|unix.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ESRCH):
		return -1, ErrGone
	case err != nil:
		return -1, fmt.Errorf("%s: %w", path, err)
	}
	return fd, nil
}

// readProc reads a file of /proc/TID whose text is made in one piece: what does not fill
// the room for it is whole. Most are small, but status lists all of the thread's groups, of
// which there may be 65536.
func readProc(tid int, name string) ([]byte, error) {
	fd, err := openProc(tid, name, unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	b := make([]byte, 4<<10)
	for n := 0; ; {
		m, err := unix.Read(fd, b[n:])
		if errors.Is(err, unix.ESRCH) {
			return nil, ErrGone
		}
		if err != nil {
			return nil, err
		}
		if n += m; m == 0 || n < len(b) {
			return b[:n], nil
		}
		b = append(b, make([]byte, n)...)
	}
}
