// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// A Batch runs a list of calls in one stop. Its area in the tracee is
//
//	+0       a guard, as in a slot (guard_amd64.go)
//	+224     the program that runs the list (batch_amd64.go), and what it needs
//	+448     the list: where it ends, and whether the program is done; from 64
//	         bytes on entries of 64: nr, six arguments, whether an error may pass
//	+half    data: what the calls point to
//
// List and data are written by one call before a run, and the list is read by one
// after it. The area is readable, writable and executable while it exists; Close unmaps
// it. Only tracees that may be changed so are given one: a child in the making,
// and a caller, which waits. A caller whose tracer dies under a batch goes on by
// itself (see execute); the area stays mapped then.
type Batch struct {
	i       *Injection
	base    uintptr
	size    uintptr
	list    uintptr // offset of the list: listOff, or a page (split)
	entries []byte  // with the list's head
	data    []byte  // what has to be written into the data half
	under   []byte  // the list under way, between Start and Finish
	spare   []byte  // the last one's room
}

// Result is what one call of a batch returned.
type Result struct {
	Value uintptr
	Errno unix.Errno // 0 for success
}

const (
	entryLen = 64
	listOff  = 512
	doneOff  = 8 // in the list's head
	allLoose = 1
)

// NewBatch maps an area of size bytes (a multiple of the page size) somewhere.
func (i *Injection) NewBatch(size uintptr) (*Batch, error) { return i.newBatch(0, 0, size) }

// NewBatchAt maps the area at addr, which must be free.
func (i *Injection) NewBatchAt(addr, size uintptr) (*Batch, error) {
	return i.newBatch(addr, unix.MAP_FIXED_NOREPLACE, size)
}

func (i *Injection) newBatch(addr uintptr, how int, size uintptr) (*Batch, error) {
	const rw = unix.PROT_READ | unix.PROT_WRITE
	flags := uintptr(unix.MAP_PRIVATE | unix.MAP_ANONYMOUS | how)
	base, err := i.mmap(addr, size, rw|unix.PROT_EXEC, flags)
	denied := errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM)
	if denied {
		base, err = i.mmap(addr, size, rw, flags)
	}
	if err != nil {
		return nil, err
	}
	i.areas++
	b := &Batch{i: i, base: base, size: size, list: listOff, entries: make([]byte, entryLen, entriesRoom)}
	if denied {
		return b, b.split()
	}
	return b, i.poke(base, b.program())
}

// For gives the area to another tracee that has the same memory, with nothing queued.
// Precondition: whoever had it has made all its calls.
func (b *Batch) For(i *Injection) (*Batch, error) {
	n := &Batch{i: i, base: b.base, size: b.size, list: b.list, entries: make([]byte, entryLen)}
	write := i.poke
	if n.list != listOff { // split: not to be written by itself
		write = i.Write
	}
	return n, write(n.base, n.program())
}

// split makes the area's first page executable and not writable: a process
// can be denied memory that is both (PR_SET_MDWE, SELinux's execmem). The
// program is written as a debugger writes a breakpoint.
func (b *Batch) split() error {
	const page = 1 << 12
	_, err := b.i.Call(unix.SYS_MMAP, b.base, page, unix.PROT_READ|unix.PROT_EXEC,
		unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_FIXED, ^uintptr(0), 0)
	if err != nil {
		return errors.Join(err, b.Close())
	}
	b.list = page
	return b.i.Write(b.base, b.program())
}

// Room is how many more calls fit before the next Run.
func (b *Batch) Room() int { return (int(b.size/2-b.list) - len(b.entries)) / entryLen }

// DataRoom is how many more bytes of data fit before the next Run.
func (b *Batch) DataRoom() int { return int(b.size/2) - len(b.data) }

// Add queues a call; the batch stops where it fails. The index is that of its
// Result.
func (b *Batch) Add(nr uintptr, args ...uintptr) int { return b.add(0, nr, args) }

// AddLoose queues a call whose failure does not stop the batch.
func (b *Batch) AddLoose(nr uintptr, args ...uintptr) int { return b.add(allLoose, nr, args) }

// entriesRoom holds the entries of most runs.
const entriesRoom = 64 * entryLen

func (b *Batch) add(loose uint64, nr uintptr, args []uintptr) int {
	var e [entryLen]byte
	binary.LittleEndian.PutUint64(e[:], uint64(nr))
	for i, a := range args {
		binary.LittleEndian.PutUint64(e[8+8*i:], uint64(a))
	}
	binary.LittleEndian.PutUint64(e[56:], loose)
	b.entries = append(b.entries, e[:]...)
	return len(b.entries)/entryLen - 2
}

// Data places p in the area and returns its address in the tracee. It is there
// from the next Run or Flush on, until that Run is over.
func (b *Batch) Data(p []byte) (uintptr, error) {
	addr, err := b.Reserve(len(p))
	if err == nil {
		copy(b.data[addr-b.base-b.size/2:], p)
	}
	return addr, err
}

// Reserve makes room for n bytes of output, to be read (Output) before the next Run.
func (b *Batch) Reserve(n int) (uintptr, error) {
	need := (n + 15) &^ 15
	if need > b.DataRoom() {
		return 0, fmt.Errorf("batch area of pid %d is full: %w", b.i.TID, unix.ENOMEM)
	}
	addr := b.base + b.size/2 + uintptr(len(b.data))
	b.data = append(b.data, make([]byte, need)...)
	return addr, nil
}

// Output reads what the last Run's calls stored.
func (b *Batch) Output(addr uintptr, p []byte) error { return b.i.peek(addr, p) }

// Flush writes the data for a call that is made without the batch, by [Injection.Call].
func (b *Batch) Flush() error {
	data := b.data
	b.data = b.data[:0]
	if len(data) == 0 {
		return nil
	}
	return b.i.poke(b.base+b.size/2, data)
}

// Run makes the queued calls and empties the queue. The results end with the
// first call that failed and was not loose, whose errno is the error too.
func (b *Batch) Run() ([]Result, error) {
	if err := b.Start(); err != nil {
		return nil, err
	}
	return b.Finish()
}

// Start lets the tracee make the queued calls, and empties the queue. A child in the making
// does so on its own until Finish: nothing else may be asked of it, but the queue can be filled
// for the next run.
func (b *Batch) Start() error {
	if len(b.entries) == entryLen {
		b.data = b.data[:0]
		return nil
	}
	list, data := b.entries, b.data
	b.entries, b.spare, b.data = append(b.spare[:0], list[:entryLen]...), list, data[:0]
	if len(list) > int(b.size/2-b.list) {
		return fmt.Errorf("%d calls for a batch of %d: %w", len(list)/entryLen-1, b.size, unix.ENOMEM)
	}
	at := b.base + b.list
	clear(list[:entryLen])
	binary.LittleEndian.PutUint64(list, uint64(at)+uint64(len(list)))
	write := []part{{at, list}, {b.base + b.size/2, data}}
	if err := b.i.vm(unix.ProcessVMWritev, write...); err != nil {
		return err
	}
	var err error
	if b.i.watched {
		err = b.singly(list)
	} else {
		err = b.execute()
	}
	if err == nil {
		b.under = list
	}
	return err
}

// Finish waits for the end of what Start began, and returns its results as Run does;
// none if nothing was begun.
func (b *Batch) Finish() ([]Result, error) {
	list := b.under
	if list == nil {
		return nil, nil
	}
	b.under = nil
	if b.i.watched {
		return results(list[entryLen:])
	}
	if err := b.arrive(); err != nil {
		return nil, err
	}
	if err := b.i.peek(b.base+b.list, list); err != nil {
		return nil, err
	}
	if list[doneOff] == 0 {
		b.i.trapped = nil
		return nil, fmt.Errorf("pid %d: a signal in a batch", b.i.TID)
	}
	return results(list[entryLen:])
}

func results(entries []byte) ([]Result, error) {
	var all []Result
	for e := entries; len(e) > 0; e = e[entryLen:] {
		v := int64(binary.LittleEndian.Uint64(e))
		r := Result{Value: uintptr(v)}
		if v < 0 && v >= -4095 {
			r = Result{Errno: unix.Errno(-v)}
		}
		all = append(all, r)
		if r.Errno != 0 && binary.LittleEndian.Uint64(e[56:]) != allLoose {
			return all, r.Errno
		}
	}
	return all, nil
}

// Close unmaps the area.
func (b *Batch) Close() error {
	_, err := b.i.Call(unix.SYS_MUNMAP, b.base, b.size)
	if err == nil {
		b.i.areas--
	}
	return err
}

// poke and peek copy to and from memory that the tracee may access itself.
func (s *Stopped) poke(addr uintptr, p []byte) error {
	return s.vm(unix.ProcessVMWritev, part{addr, p})
}

func (s *Stopped) peek(addr uintptr, p []byte) error {
	return s.vm(unix.ProcessVMReadv, part{addr, p})
}

// part is memory here and there.
type part struct {
	addr uintptr
	p    []byte
}

func (s *Stopped) vm(do func(int, []unix.Iovec, []unix.RemoteIovec, uint) (int, error), parts ...part) error {
	var local []unix.Iovec
	var remote []unix.RemoteIovec
	total := 0
	for _, m := range parts {
		if len(m.p) > 0 {
			local = append(local, unix.Iovec{Base: &m.p[0], Len: uint64(len(m.p))})
			remote = append(remote, unix.RemoteIovec{Base: m.addr, Len: len(m.p)})
			total += len(m.p)
		}
	}
	n, err := do(s.TID, local, remote, 0)
	if err == nil && n != total {
		err = unix.EFAULT
	}
	if err != nil {
		err = s.orGone(err)
		return fmt.Errorf("process_vm access to pid %d at %#x: %w", s.TID, parts[0].addr, err)
	}
	return nil
}
