// SPDX-License-Identifier: Apache-2.0

package stage

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"

	"golang.org/x/sys/unix"
)

// Attach is the machine of which somebody else has made the memory and starts
// the stage.
func Attach(shared *os.File) (*Machine, error) {
	mem, err := unix.Mmap(int(shared.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("stage: mmap: %w", err)
	}
	return &Machine{mem: mem, shared: shared, data: slotArea}, nil
}

// Shared is the memory, for [Attach] elsewhere.
func (m *Machine) Shared() *os.File { return m.shared }

// Become replaces this process by the stage. Descriptors from 3 on are those
// that are given, 3 itself is the memory, and no others. It returns only if it
// fails, and then this thread's descriptors may already have been replaced.
//
// The table is replaced under a Go program that still runs: another thread that
// polled the runtime's epoll descriptor meanwhile would find something else there
// and panic. So this thread gets a table of its own, which the exec then keeps; and
// it does not collect garbage in between, which polls, too.
func (m *Machine) Become(stdio [3]*os.File, extra []*os.File) error {
	all := append(stdio[:], m.shared)
	all = append(all, extra...)
	for n, f := range all {
		if f == nil {
			continue
		}
		// Out of the way of those that are going to be replaced.
		fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, len(all))
		if err != nil {
			return fmt.Errorf("stage: descriptor %d: %w", n, err)
		}
		all[n] = os.NewFile(uintptr(fd), f.Name())
	}
	image := fmt.Sprintf("/proc/thread-self/fd/%d", m.imageAbove(len(all)))
	debug.SetGCPercent(-1)
	runtime.LockOSThread() // for good: its table is not the others'
	if err := unix.Unshare(unix.CLONE_FILES); err != nil {
		return fmt.Errorf("stage: unshare(CLONE_FILES): %w", err)
	}
	for n, f := range all {
		if f == nil {
			_ = unix.Close(n)
		} else if err := unix.Dup3(int(f.Fd()), n, 0); err != nil {
			return fmt.Errorf("stage: descriptor %d: %w", n, err)
		}
	}
	if err := unix.CloseRange(uint(len(all)), 1<<31-1, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return fmt.Errorf("stage: close_range: %w", err)
	}
	return fmt.Errorf("stage: exec: %w", unix.Exec(image, []string{"cloneat-stage"}, nil))
}

// imageAbove is a descriptor of the executable that is out of the way.
func (m *Machine) imageAbove(n int) int {
	fd, err := unix.FcntlInt(m.image.Fd(), unix.F_DUPFD_CLOEXEC, n)
	if err != nil {
		return int(m.image.Fd())
	}
	return fd
}
