// SPDX-License-Identifier: Apache-2.0

package launch

import (
	"fmt"
	"os"
	"sort"
	"strconv"

	"golang.org/x/sys/unix"
)

// InheritedFiles lists the descriptors of this process that an exec would hand down.
// Go opens its own with close-on-exec, so these are what the process was started with.
func InheritedFiles() ([]int, error) {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil, fmt.Errorf("listing open files: %w (is /proc mounted?)", err)
	}
	var files []int
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err == nil && flags&unix.FD_CLOEXEC == 0 {
			files = append(files, fd)
		}
	}
	sort.Ints(files)
	return files, nil
}
