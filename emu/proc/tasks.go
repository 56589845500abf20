package proc

import (
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"

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

// Children lists the processes whose real parent is a thread of this process.
// The list is reliable only for children that do not exit meanwhile (proc(5)).
func (d *Dir) Children() ([]int, error) {
	tids, err := d.Threads()
	if err != nil {
		return nil, err
	}
	var children []int
	for _, tid := range tids {
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
	return children, nil
}

func (d *Dir) has(name string) bool { return unix.Faccessat(d.fd, name, unix.F_OK, 0) == nil }
