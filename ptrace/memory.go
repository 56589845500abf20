package ptrace

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Read fills b from the tracee's memory at addr, whatever its protection.
func (s *Stopped) Read(addr uintptr, b []byte) error {
	return s.access(addr, b, os.O_RDONLY, (*os.File).ReadAt)
}

// Write puts b into the tracee's memory at addr, read-only mappings included:
// a private page is copied first, as for a debugger's breakpoint (FOLL_FORCE).
func (s *Stopped) Write(addr uintptr, b []byte) error {
	return s.access(addr, b, os.O_WRONLY, (*os.File).WriteAt)
}

func (s *Stopped) access(addr uintptr, b []byte, mode int,
	do func(*os.File, []byte, int64) (int, error),
) error {
	f, err := os.OpenFile("/proc/"+strconv.Itoa(s.TID)+"/mem", mode, 0)
	if errors.Is(err, os.ErrNotExist) {
		return ErrGone
	}
	if err != nil {
		return err
	}
	defer f.Close()
	n, err := do(f, b, int64(addr))
	switch {
	case n == len(b):
		return nil
	case err == nil || errors.Is(err, io.EOF):
		return fmt.Errorf("memory of pid %d: %w", s.TID, ErrGone)
	case errors.Is(err, unix.EIO):
		return fmt.Errorf("memory of pid %d at %#x: %w", s.TID, addr, unix.EFAULT)
	}
	return fmt.Errorf("memory of pid %d at %#x: %w", s.TID, addr, err)
}
