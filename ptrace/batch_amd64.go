// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

// batchLoop runs the entries of the list:
//
//	start: lea rbx, [entries]; mov r12, [end of the list]
//	loop:  cmp rbx, r12; jae end
//	       mov rax, [rbx]; mov rdi, [rbx+8]; ... mov r9, [rbx+48]
//	       syscall
//	       mov [rbx], rax
//	       cmp qword [rbx+56], 0; jne next
//	       cmp rax, -4095; jae end
//	next:  add rbx, 64; jmp loop
//	end:
//
// A child in the making goes on with
//
//	mov dword [done], 1; int3; jmp start
//
// so that it need only be resumed for the next list; a tracee that must survive its
// tracer with
//
//	rbx, r12, rsp = what they were
//	mov dword [done], 1
//	sleep: poll(NULL, 0, 2000)
//	       if the filters are suspended: jmp sleep (see SuspendedNr)
//	getpid(), in the guard
//
// and one that must not trap (NoTrap) with the same, but that it sleeps for ever: it dies
// with its tracer.
var batchLoop = []byte{
	0x4c, 0x39, 0xe3, // cmp rbx, r12
	0x73, 0x35, // jae end
	0x48, 0x8b, 0x03, // mov rax, [rbx]
	0x48, 0x8b, 0x7b, 0x08, // mov rdi, [rbx+8]
	0x48, 0x8b, 0x73, 0x10, // mov rsi, [rbx+16]
	0x48, 0x8b, 0x53, 0x18, // mov rdx, [rbx+24]
	0x4c, 0x8b, 0x53, 0x20, // mov r10, [rbx+32]
	0x4c, 0x8b, 0x43, 0x28, // mov r8, [rbx+40]
	0x4c, 0x8b, 0x4b, 0x30, // mov r9, [rbx+48]
	0x0f, 0x05, // syscall
	0x48, 0x89, 0x03, // mov [rbx], rax
	0x48, 0x83, 0x7b, 0x38, 0x00, // cmp qword [rbx+56], 0
	0x75, 0x08, // jne next
	0x48, 0x3d, 0x01, 0xf0, 0xff, 0xff, // cmp rax, -4095
	0x73, 0x06, // jae end
	0x48, 0x83, 0xc3, 0x40, // next: add rbx, 64
	0xeb, 0xc6, // jmp loop
}

// Offsets in the area.
const (
	programOff = guardArgs // 224
	regsOff    = 448       // rbx, r12, rsp of a tracee that must survive
)

// code is a program that is being written, from offset programOff of the area.
type code struct{ b []byte }

// raw adds instructions.
func (c *code) raw(b ...byte) { c.b = append(c.b, b...) }

// rel adds one whose last operand but what follows is the distance to an offset of the
// area from behind the instruction.
func (c *code) rel(to uintptr, op []byte, follows ...byte) {
	from := programOff + len(c.b) + len(op) + 4 + len(follows)
	c.raw(op...)
	c.b = binary.LittleEndian.AppendUint32(c.b, uint32(int32(int(to)-from)))
	c.raw(follows...)
}

// program lays out the area's first bytes for the tracee as it is.
func (b *Batch) program() []byte {
	var c code
	c.rel(b.list+entryLen, []byte{0x48, 0x8d, 0x1d}) // lea rbx, [entries]
	c.rel(b.list, []byte{0x4c, 0x8b, 0x25})          // mov r12, [end]
	c.raw(batchLoop...)
	if b.traps() {
		b.endTrap(&c)
	} else {
		b.endSleep(&c)
	}
	all := make([]byte, listOff)
	copy(all, guardFor(healCall, b.i.saved, b.i.mask))
	copy(all[programOff:], c.b)
	for n, v := range []uint64{b.i.saved.Rbx, b.i.saved.R12, b.i.saved.Rsp} {
		binary.LittleEndian.PutUint64(all[regsOff+8*n:], v)
	}
	return all
}

// traps reports whether the program ends in a trap: in a child in the making, mostly.
func (b *Batch) traps() bool { return b.i.Hold && !b.i.NoTrap }

func (b *Batch) endTrap(c *code) {
	b.say(c)
	c.raw(0xcc)                     // int3
	c.rel(programOff, []byte{0xe9}) // jmp start
}

func (b *Batch) endSleep(c *code) {
	c.rel(regsOff, []byte{0x48, 0x8b, 0x1d})    // mov rbx, [regs]
	c.rel(regsOff+8, []byte{0x4c, 0x8b, 0x25})  // mov r12, [regs+8]
	c.rel(regsOff+16, []byte{0x48, 0x8b, 0x25}) // mov rsp, [regs+16]
	b.say(c)
	sleep := uintptr(programOff + len(c.b))
	c.raw(0x31, 0xff, 0x31, 0xf6)       // xor edi, edi; xor esi, esi
	c.raw(0xba, 0xd0, 0x07, 0x00, 0x00) // mov edx, 2000
	c.raw(0xb8, 0x07, 0x00, 0x00, 0x00) // mov eax, 7
	c.raw(0x0f, 0x05)                   // syscall
	if b.i.Hold {
		c.rel(sleep, []byte{0xe9}) // jmp sleep
		return
	}
	c.raw(0x31, 0xd2) // xor edx, edx
	c.raw(0x49, 0xba) // mov r10, SuspendedArg
	c.b = binary.LittleEndian.AppendUint64(c.b, SuspendedArg)
	c.raw(0xb8) // mov eax, SuspendedNr
	c.b = binary.LittleEndian.AppendUint32(c.b, SuspendedNr)
	c.raw(0x0f, 0x05) // syscall
	c.raw(0x3d)       // cmp eax, -InForce
	c.b = binary.LittleEndian.AppendUint32(c.b, ^uint32(InForce)+1)
	c.rel(sleep, []byte{0x0f, 0x85})    // jne sleep
	c.raw(0xb8, 0x27, 0x00, 0x00, 0x00) // mov eax, 39
	c.rel(0, []byte{0xe9})              // jmp guard
}

// say adds mov dword [done], 1.
func (b *Batch) say(c *code) {
	c.rel(b.list+doneOff, []byte{0xc7, 0x05}, 0x01, 0x00, 0x00, 0x00)
}

// maskBut is every signal but SIGTRAP, which int3 raises: blocked, the kernel
// would reset the tracee's disposition to deliver it.
const maskBut = blockAll &^ (1 << (uint(unix.SIGTRAP) - 1))

// execute runs the program over the list. A child in the making ends in a trap (arrive), from
// which it goes on the next time. For a caller a trap would be deadly without its
// tracer: it says that it is done, and sleeps until it is interrupted, or goes on with
// its own call if its tracer is gone. A tracer that is only late must not find it there:
// the filters are suspended still, and the call would be ENOSYS.
func (b *Batch) execute() error {
	i := b.i
	if i.trapped != b {
		i.ran = true
		r := i.saved
		r.Rip, r.Orig_rax = uint64(b.base)+programOff, ^uint64(0)
		// Not the tracee's own stack: on its alternate one, sigaltstack(2) is EPERM.
		r.Rsp = uint64(b.base + b.size)
		r.Eflags &^= trapFlag | alignFlag | backFlag
		if err := i.SetRegs(r); err != nil {
			return err
		}
	}
	i.trapped = nil
	if !b.traps() {
		if err := i.block(); err != nil {
			return err
		}
		return b.toSleep()
	}
	i.masked = true
	if err := i.SetSigMask(maskBut); err != nil {
		return err
	}
	_, err := i.Cont(0)
	return err
}

// arrive waits for the end of what execute began.
func (b *Batch) arrive() error {
	if !b.traps() { // it was waited for
		return nil
	}
	if err := b.toTrap(); err != nil {
		return err
	}
	b.i.trapped = b
	return nil
}

// toSleep continues until the program says that it is done, and stops it.
func (b *Batch) toSleep() error {
	if _, err := b.i.Cont(0); err != nil {
		return err
	}
	r := b.i.running()
	said, l := false, b.i.lookout()
	defer l.end()
	for i := 0; ; i++ {
		s, stop, over, err := r.poll(unix.WNOHANG)
		switch {
		case over && err != nil:
			return err
		case over && said && (stop.Kind == Interrupt || stop.Kind == Group):
			b.i.Last = s.Last
			return b.stillThere()
		case over && stop.Kind == Signal && stop.Sig != unix.SIGSTOP: // all others are blocked in the area
			return b.i.left(stop.Sig)
		case over: // a SIGSTOP, or a stop of the group, on the way
			b.i.stops = b.i.stops || stop.Kind == Signal && stop.Sig == unix.SIGSTOP
			if _, err := b.i.Cont(0); err != nil {
				return err
			}
		case !said && b.done():
			if b.i.OnAsleep != nil {
				b.i.OnAsleep()
			}
			if err := r.Interrupt(); err != nil {
				return err
			}
			said, i = true, 0
		case !said && l.stuck():
			return fmt.Errorf("pid %d: %w", r.TID, ErrStuck)
		default:
			if said && b.i.OnAwaited != nil {
				b.i.OnAwaited()
			}
			l.tell()
			l.pause(i)
		}
	}
}

// done reports whether the program has said so.
func (b *Batch) done() bool {
	var word [4]byte
	return b.i.peek(b.base+b.list+doneOff, word[:]) == nil && word[0] != 0
}

// toTrap waits for a SIGTRAP, which is the int3 if the program is done.
func (b *Batch) toTrap() error {
	for {
		s, stop, err := b.i.waiter()(b.i.running())
		if err != nil {
			return err
		}
		b.i.Last = s.Last
		switch {
		case stop.Kind != Signal: // an interrupt or group-stop on the way
		case stop.Sig == unix.SIGSTOP:
			b.i.stops = true
		case stop.Sig == unix.SIGTRAP:
			return nil
		default:
			return fmt.Errorf("pid %d: signal %v in a batch", b.i.TID, stop.Sig)
		}
		if _, err := b.i.Cont(0); err != nil {
			return err
		}
	}
}
