// SPDX-License-Identifier: Apache-2.0

package enter

import (
	"fmt"
	"os"
	"slices"

	"golang.org/x/sys/unix"

	"cloneat-emu/cmd/cloneat-emu/stage"
)

// memory is the descriptor at which the stage expects its shared memory.
const memory = 3

// descriptors is the table that a stage starts with: the shared memory at 3,
// descriptors to keep at their own numbers, ours in the gaps.
type descriptors struct {
	files map[int]*os.File // from 4 on
	keep  []int
	// third is where a descriptor 3 to keep waits until the stage has mapped
	// its memory; 0 if there is none.
	third int
	own   []*os.File // opened here, to be closed here
}

// newDescriptors begins a table.
//
// Errors: EBADF if a descriptor to keep is not open.
func newDescriptors(keep []int) (*descriptors, error) {
	d := &descriptors{files: map[int]*os.File{}}
	for _, n := range keep {
		if n >= 0 && n <= 2 || slices.Contains(d.keep, n) {
			continue
		}
		fd, err := unix.FcntlInt(uintptr(n), unix.F_DUPFD_CLOEXEC, 3)
		if err != nil {
			d.close()
			return nil, fmt.Errorf("descriptor %d to keep: %w", n, err)
		}
		f := os.NewFile(uintptr(fd), fmt.Sprintf("kept %d", n))
		d.own = append(d.own, f)
		d.keep = append(d.keep, n)
		if n != memory {
			d.files[n] = f
		}
	}
	slices.Sort(d.keep)
	if len(d.keep) > 0 && d.keep[0] == memory {
		d.third = d.add(d.own[slices.Index(keep, memory)])
	}
	return d, nil
}

// add puts one of our files into the first gap and returns its number there.
func (d *descriptors) add(f *os.File) int {
	n := memory + 1
	for d.files[n] != nil || slices.Contains(d.keep, n) {
		n++
	}
	d.files[n] = f
	return n
}

// extra is the table as exec.Cmd.ExtraFiles wants it behind the memory.
func (d *descriptors) extra() []*os.File {
	var files []*os.File
	for n, f := range d.files {
		for len(files) <= n-memory-1 {
			files = append(files, nil)
		}
		files[n-memory-1] = f
	}
	return files
}

// close closes what was opened here.
func (d *descriptors) close() {
	for _, f := range d.own {
		_ = f.Close()
	}
}

// seal makes sure that an exec leaves open 0, 1, 2 and what is to be kept.
func (d *descriptors) seal(t *stage.Task) error {
	if d.third != 0 {
		if _, err := t.Call(unix.SYS_DUP3, uintptr(d.third), memory, 0); err != nil {
			return fmt.Errorf("dup3 to descriptor %d: %w", memory, err)
		}
	}
	first := 3
	for _, n := range append(slices.Clone(d.keep), 1<<31-1) {
		if first < n {
			_, err := t.Call(unix.SYS_CLOSE_RANGE, uintptr(first), uintptr(n-1), unix.CLOSE_RANGE_CLOEXEC)
			if err != nil {
				return fmt.Errorf("close_range(%d, %d): %w", first, n-1, err)
			}
		}
		first = n + 1
	}
	return nil
}
