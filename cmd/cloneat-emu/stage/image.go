// SPDX-License-Identifier: Apache-2.0

package stage

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// imageOf is a file to execute. The sysctl vm.memfd_noexec (Linux 6.3) makes files in
// memory not executable unless they are asked to be, at 1, and forbids to ask at 2: then it
// is one without a name among the temporary files.
func imageOf(code []byte) (*os.File, error) {
	const name = "cloneat-stage"
	f, err := memfd(name, unix.MFD_EXEC, 0, code)
	switch {
	case errors.Is(err, unix.EINVAL): // not before 6.3
		return memfd(name, 0, 0, code)
	case errors.Is(err, unix.EACCES):
		return unnamed(code)
	}
	return f, err
}

// unnamed is open for reading alone: nothing is executed that somebody may write.
func unnamed(code []byte) (*os.File, error) {
	fd, err := unix.Open(os.TempDir(), unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o700)
	if err != nil {
		return nil, fmt.Errorf("stage: a file in %s to execute (vm.memfd_noexec is 2): %w", os.TempDir(), err)
	}
	w := os.NewFile(uintptr(fd), os.TempDir())
	defer w.Close()
	if _, err := w.Write(code); err != nil {
		return nil, fmt.Errorf("stage: %w", err)
	}
	r, err := os.Open(fmt.Sprintf("/proc/self/fd/%d", fd))
	if err != nil {
		return nil, fmt.Errorf("stage: %w", err)
	}
	return r, nil
}
