// SPDX-License-Identifier: Apache-2.0

package stress

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// usage is what a process holds.
type usage struct{ fds, threads, maps, rss int } // rss in KiB

func (u usage) String() string {
	return fmt.Sprintf("%d descriptors, %d threads, %d mappings, %d KiB", u.fds, u.threads, u.maps, u.rss)
}

// usageOf looks at a process that is alive.
func usageOf(t *testing.T, pid int) usage {
	t.Helper()
	u := usage{fds: entries(t, pid, "fd"), threads: entries(t, pid, "task")}
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		t.Fatal(err)
	}
	u.maps = strings.Count(string(maps), "\n")
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		_, _ = fmt.Sscanf(line, "VmRSS: %d kB", &u.rss)
	}
	return u
}

// entries counts what is in a folder of /proc/pid.
func entries(t *testing.T, pid int, folder string) int {
	t.Helper()
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/%s", pid, folder))
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// files lists the open files of a process.
func files(t *testing.T, pid int) string {
	t.Helper()
	out, err := exec.Command("ls", "-l", fmt.Sprintf("/proc/%d/fd", pid)).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// settled waits until the operator, which nobody calls any more, holds no more
// descriptors than wanted: the last workers may still be closing theirs.
func settled(t *testing.T, pid, wanted int) usage {
	t.Helper()
	for end := time.Now().Add(settleBound); ; time.Sleep(time.Millisecond) {
		u := usageOf(t, pid)
		if u.fds <= wanted || time.Now().After(end) {
			return u
		}
	}
}
