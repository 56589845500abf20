// SPDX-License-Identifier: Apache-2.0

package stage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
)

const (
	base     = 0x10000000000 // where the stage maps the shared memory
	size     = 1 << 24
	slotSize = 256
	// slotArea is the part of the memory that holds slots: one a task, and a
	// tree may have some ten thousand.
	slotArea = size / 2
)

// Machine is a stage and the memory shared with it.
type Machine struct {
	mem    []byte
	shared *os.File      // the memory, descriptor 3 of the stage
	image  *os.File      // the executable
	owned  chan struct{} // closed when nobody gives orders any more; nil without Own
	left   chan struct{} // closed when that has been noted

	mu    sync.Mutex
	slots uintptr // next free offset
	data  uintptr // next free offset
}

// New makes the memory and the executable; [Machine.Command] starts it.
//
// Errors: EOPNOTSUPP on an architecture that there is no code for.
func New() (*Machine, error) {
	m := &Machine{data: slotArea}
	code := executable()
	if code == nil {
		return nil, fmt.Errorf("stage: there is no code for %s yet: %w", runtime.GOARCH, unix.EOPNOTSUPP)
	}
	err := proc.Own() // the image is named by our number in there
	if err != nil {
		return nil, fmt.Errorf("stage: %w", err)
	}
	if m.shared, err = memfd("cloneat-stage-memory", 0, size, nil); err != nil {
		return nil, err
	}
	if m.image, err = imageOf(code); err != nil {
		_ = m.shared.Close()
		return nil, err
	}
	m.mem, err = unix.Mmap(int(m.shared.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		_ = m.shared.Close()
		_ = m.image.Close()
		return nil, fmt.Errorf("stage: mmap: %w", err)
	}
	return m, nil
}

// memfd makes a file in memory of some size or content.
func memfd(name string, flags int, size int64, content []byte) (*os.File, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC|flags)
	if err != nil {
		return nil, fmt.Errorf("stage: memfd_create: %w", err)
	}
	f := os.NewFile(uintptr(fd), name)
	if size > 0 {
		err = f.Truncate(size)
	} else {
		_, err = f.Write(content)
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("stage: %s: %w", name, err)
	}
	return f, nil
}

// Close unmaps the memory. Tasks that still serve it wait forever, unless it had an owner.
func (m *Machine) Close() error {
	m.disown()
	return errors.Join(unix.Munmap(m.mem), m.shared.Close(), m.image.Close())
}

// Command is what starts the stage: descriptor 3 is the shared memory, further
// ones can be appended to ExtraFiles. The stage dies with ctx.
func (m *Machine) Command(ctx context.Context) *exec.Cmd {
	// The path is ours, not "self": it must mean the same to whatever process
	// runs the command in the end.
	path := fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), m.image.Fd())
	cmd := exec.CommandContext(ctx, path)
	cmd.Args = []string{"cloneat-stage"}
	cmd.ExtraFiles = []*os.File{m.shared}
	return cmd
}

// Main is the task of the stage that was started.
// Precondition: called once, before any NewTask.
func (m *Machine) Main() *Task { return m.NewTask() }

// NewTask takes a slot for a task that a call is going to make.
func (m *Machine) NewTask() *Task {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.slots+slotSize > slotArea {
		panic("stage: more tasks than the shared memory has slots for")
	}
	t := &Task{m: m, offset: m.slots}
	m.slots += slotSize
	return t
}

// MaxTasks is how many slots a machine has.
const MaxTasks = slotArea / slotSize

// Bytes puts bytes into the shared memory and returns the address at which
// tasks see them. The place is taken until [Machine.Release].
func (m *Machine) Bytes(p []byte) (uintptr, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := (m.data + 15) &^ 15
	if at+uintptr(len(p)) > size {
		return 0, fmt.Errorf("stage: %d bytes more than the shared memory holds: %w", len(p), unix.E2BIG)
	}
	copy(m.mem[at:], p)
	m.data = at + uintptr(len(p))
	return base + at, nil
}

// Mark and Release bracket memory that was taken: what came after Mark is free
// again. Precondition: nobody else takes memory in between.
func (m *Machine) Mark() uintptr { m.mu.Lock(); defer m.mu.Unlock(); return m.data }

// Release frees what was taken after mark.
func (m *Machine) Release(mark uintptr) { m.mu.Lock(); defer m.mu.Unlock(); m.data = mark }

// View is the memory at an address that tasks see, n bytes of it.
func (m *Machine) View(addr uintptr, n int) []byte {
	return m.mem[addr-base:][:n]
}
