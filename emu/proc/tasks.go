// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"errors"
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"
)

// Threads lists the thread ids of the process in the order of the kernel's
// thread list, leader first. A thread that is made or ends meanwhile may be
// there or not.
func (d *Dir) Threads() ([]int, error) {
	f, err := d.Open("task", unix.O_DIRECTORY|unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(-1) // os.ReadDir would sort
	if err != nil {
		return nil, d.wrap("readdir", "task", errors.Unwrap(err))
	}
	tids := make([]int, 0, len(names))
	for _, name := range names {
		tid, err := strconv.Atoi(name)
		if err != nil {
			return nil, fmt.Errorf("%s/task: %w", d.at, err)
		}
		tids = append(tids, tid)
	}
	return tids, nil
}
