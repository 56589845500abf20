// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// Children lists the processes whose real parent is a thread of this process.
// The list is reliable only for children that do not exit meanwhile (proc(5)).
func (d *Dir) Children() ([]int, error) {
	if !listsChildren() {
		return d.searchChildren()
	}
	tids, err := d.Threads()
	if err != nil {
		return nil, err
	}
	// A thread that ends leaves its children to the first that lives (find_alive_thread() in
	// kernel/exit.c), which is therefore asked after it, and may tell them again.
	var children []int
	for _, tid := range slices.Backward(tids) {
		name := path.Join("task", strconv.Itoa(tid), "children")
		b, err := d.ReadFile(name)
		if err != nil && d.Alive() && !d.has(path.Dir(name)) {
			continue // the thread is gone, its children are another's
		}
		if err != nil {
			return nil, err
		}
		if err := numbers(&children, strings.TrimSpace(string(b))); err != nil {
			return nil, fmt.Errorf("%s/%s: %w", d.at, name, err)
		}
	}
	if len(tids) > 1 {
		slices.Sort(children)
		children = slices.Compact(children)
	}
	return children, nil
}

func (d *Dir) has(name string) bool { return unix.Faccessat(d.fd, name, unix.F_OK, 0) == nil }

// listsChildren reports whether this kernel has the list (CONFIG_PROC_CHILDREN, which
// CONFIG_CHECKPOINT_RESTORE selects).
var listsChildren = sync.OnceValue(func() bool {
	_, err := os.Lstat("/proc/thread-self/children")
	return !errors.Is(err, os.ErrNotExist)
})

// searchChildren asks every process for its parent.
func (d *Dir) searchChildren() (children []int, err error) {
	all, err := Processes()
	if err != nil {
		return nil, err
	}
	for _, pid := range all {
		parent, err := parentOf(pid)
		switch {
		case err == nil && parent == d.PID:
			children = append(children, pid)
		case err != nil && !Gone(err) && !errors.Is(err, os.ErrPermission):
			return nil, err
		}
	}
	return children, d.still("stat") // or the number was another's
}

func parentOf(pid int) (int, error) {
	d, err := Open(pid)
	if err != nil {
		return 0, err
	}
	defer d.Close()
	st, err := d.Stat()
	if err != nil {
		return 0, err
	}
	return st.Ppid, nil
}
