// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

func memoryProbes() []probe {
	return []probe{
		{"userfaultfd", "filling a child's memory on demand, which no engine does yet", "memory is copied at once, in any case", tryUserfault},
		{"PAGEMAP_SCAN", "finding touched pages fast", "reading pagemap", tryScan},
		{"pagemap frame numbers", "copying only what a forked target does not share", "everything is copied", tryFrames},
		{"map_files", "mapped files that were deleted or are out of reach", "the path, or a copy of the contents", tryMapFiles},
		{"PR_SET_MM_MAP", "the child's heap, arguments and executable as the caller's", "the single options of PR_SET_MM, which want CAP_SYS_RESOURCE", func() (string, error) {
			if err := mmMapSize(); err != nil {
				return "", fmt.Errorf("prctl(PR_SET_MM_MAP_SIZE): %w: CONFIG_CHECKPOINT_RESTORE is missing", err)
			}
			return "", nil
		}},
	}
}

// tryUserfault opens one for faults of the kernel as well, as the pager needs it.
func tryUserfault() (string, error) {
	fd, _, errno := unix.Syscall(unix.SYS_USERFAULTFD, unix.O_CLOEXEC|unix.O_NONBLOCK, 0, 0)
	if errno == unix.EPERM {
		return "", fmt.Errorf("userfaultfd: %w: CAP_SYS_PTRACE or vm.unprivileged_userfaultfd", errno)
	}
	if errno != 0 {
		return "", fmt.Errorf("userfaultfd: %w", errno)
	}
	defer unix.Close(int(fd))
	if err := userfaultAPI(int(fd)); err != nil {
		return "", fmt.Errorf("ioctl(UFFDIO_API): %w", err)
	}
	return "", nil
}

func tryScan() (string, error) {
	f, err := os.Open("/proc/self/pagemap")
	if err != nil {
		return "", err
	}
	defer f.Close()
	if err := scanPagemap(int(f.Fd())); err != nil {
		return "", fmt.Errorf("ioctl(PAGEMAP_SCAN): %w: Linux 6.7 has it", err)
	}
	return "", nil
}

// tryFrames looks at a page that is certainly there: without CAP_SYS_ADMIN its frame
// reads as 0.
func tryFrames() (string, error) {
	f, err := os.Open("/proc/self/pagemap")
	if err != nil {
		return "", err
	}
	defer f.Close()
	var entry [8]byte
	if _, err := f.ReadAt(entry[:], int64(presentPage()/uintptr(os.Getpagesize()))*8); err != nil {
		return "", unknown(err)
	}
	const frame = 1<<55 - 1
	if binary.NativeEndian.Uint64(entry[:])&frame == 0 {
		return "", fmt.Errorf("frame numbers are hidden: %w: CAP_SYS_ADMIN is missing", unix.EPERM)
	}
	return "", nil
}

// tryMapFiles opens the executable's own mapping.
func tryMapFiles() (string, error) {
	links, err := filepath.Glob("/proc/self/map_files/*-*")
	if err != nil || len(links) == 0 {
		return "", fmt.Errorf("/proc/self/map_files: %w", os.ErrNotExist)
	}
	f, err := os.Open(links[0])
	if err != nil {
		return "", err
	}
	return "", f.Close()
}
