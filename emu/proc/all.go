// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Processes lists the processes that /proc shows, in no order.
func Processes() ([]int, error) {
	f, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// PIDLimit is above every number of a process, whatever pid_max says: PID_MAX_LIMIT of
// include/linux/threads.h, on 64-bit.
const PIDLimit = 4 << 20

// PIDMax is the reader's /proc/sys/kernel/pid_max: numbers are below it. Since
// Linux 6.14 each pid namespace has its own.
func PIDMax() (int, error) {
	const name = "/proc/sys/kernel/pid_max"
	fd, err := unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC, 0) // os.ReadFile would register it with the poller
	if err != nil {
		return 0, &os.PathError{Op: "open", Path: name, Err: err}
	}
	defer unix.Close(fd)
	var b [32]byte
	n, err := unix.Read(fd, b[:])
	if err != nil {
		return 0, &os.PathError{Op: "read", Path: name, Err: err}
	}
	return strconv.Atoi(strings.TrimSpace(string(b[:n])))
}
