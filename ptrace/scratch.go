package ptrace

import (
	"fmt"
	"sync"
)

// Scratch is a little memory in the tracee for the arguments of one injected
// call. It lies in the zero bytes behind the image of the vdso: every process
// has them mapped readable, nothing uses them, and a supervisor that dies in
// between leaves bytes that nobody reads. The stack is no such place: below
// the red zone of a Go program's small stack lies another goroutine's.
type Scratch struct {
	tracee *Stopped
	addr   uintptr
	size   int
	slot   *sync.Mutex
}

// scratchSize is what one slot holds: struct clone_args, a set_tid array.
const scratchSize = 160

// Slots keep tracees that share memory out of each other's bytes, whichever
// threads of the supervisor serve them.
var slots [3]sync.Mutex

// NewScratch takes a slot of the tracee's vdso. ErrNoSyscall says that the
// tracee has no vdso of this kernel's.
func (s *Stopped) NewScratch() (*Scratch, error) {
	v, err := ourVDSO()
	if err != nil {
		return nil, err
	}
	base, err := vdsoBase(s.TID)
	if err != nil {
		return nil, err
	}
	if v.spare+uint64(len(slots)*scratchSize) > v.size {
		return nil, fmt.Errorf("no room behind the vdso's image: %w", ErrNoSyscall)
	}
	i := s.TID % len(slots)
	slots[i].Lock()
	sc := &Scratch{s, uintptr(base + v.spare + uint64(i*scratchSize)), scratchSize, &slots[i]}
	if err := sc.empty(); err != nil {
		sc.slot.Unlock()
		return nil, err
	}
	return sc, nil
}

// empty refuses a place that holds something: a vdso that is not this kernel's.
func (c *Scratch) empty() error {
	b := make([]byte, c.size)
	if err := c.tracee.Read(c.addr, b); err != nil {
		return err
	}
	for _, v := range b {
		if v != 0 {
			return fmt.Errorf("vdso of pid %d is in use at %#x: %w", c.tracee.TID, c.addr, ErrNoSyscall)
		}
	}
	return nil
}

// Addr is where the slot begins in the tracee.
func (c *Scratch) Addr() uintptr { return c.addr }

// Write puts b at the slot's beginning.
func (c *Scratch) Write(b []byte) error {
	if len(b) > c.size {
		return fmt.Errorf("%d bytes for a slot of %d", len(b), c.size)
	}
	return c.tracee.Write(c.addr, b)
}

// Release makes the bytes zero again and gives the slot back.
func (c *Scratch) Release() {
	_ = c.tracee.Write(c.addr, make([]byte, c.size))
	c.slot.Unlock()
}

// Clear makes the same bytes zero in a child that was forked while they were
// in use, and so has a copy of them.
func (c *Scratch) Clear(child *Stopped) error {
	return child.Write(c.addr, make([]byte, c.size))
}
