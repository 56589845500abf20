// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// SeccompFilter reads the tracee's i-th seccomp filter, 0 being the one that
// was installed first (kernel: get_nth_filter). ENOENT: it has not so many.
// It wants CAP_SYS_ADMIN, and a tracer without any filter (EACCES).
func (s *Stopped) SeccompFilter(i int) ([]unix.SockFilter, error) {
	n, err := s.getFilter(i, nil)
	if err != nil || n == 0 {
		return nil, err
	}
	f := make([]unix.SockFilter, n)
	_, err = s.getFilter(i, unsafe.Pointer(&f[0]))
	return f, err
}

func (s *Stopped) getFilter(i int, into unsafe.Pointer) (int, error) {
	n, _, errno := unix.Syscall6(unix.SYS_PTRACE, reqSecGetFilter, uintptr(s.TID), uintptr(i), uintptr(into), 0, 0)
	if errno != 0 {
		return 0, fmt.Errorf("ptrace(SECCOMP_GET_FILTER) pid %d: %w", s.TID, errno)
	}
	return int(n), nil
}
