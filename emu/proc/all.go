package proc

import (
	"os"
	"strconv"
	"strings"
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

// PIDMax is the reader's /proc/sys/kernel/pid_max: numbers are below it. Since
// Linux 6.14 each pid namespace has its own.
func PIDMax() (int, error) {
	b, err := os.ReadFile("/proc/sys/kernel/pid_max")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(b)))
}
