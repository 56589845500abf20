package ptrace

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

// batchProgram runs the entries from rbx up to r12:
//
//	loop: cmp rbx, r12; jae end
//	      mov rax, [rbx]; mov rdi, [rbx+8]; ... mov r9, [rbx+48]
//	      syscall
//	      mov [rbx], rax
//	      cmp qword [rbx+56], 0; jne next
//	      cmp rax, -4095; jae end
//	next: add rbx, 64; jmp loop
//	end:  int3                          (a nop where the tracee must survive)
//	      rbx, r12, rsp = what they were
//	      mov dword [done], 1
//	      poll(NULL, 0, 2000), in the guard
var batchProgram = []byte{
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
	0xcc,                                     // end: int3
	0x48, 0x8b, 0x1d, 0x3e, 0x00, 0x00, 0x00, // mov rbx, [regs]
	0x4c, 0x8b, 0x25, 0x3f, 0x00, 0x00, 0x00, // mov r12, [regs+8]
	0x48, 0x8b, 0x25, 0x40, 0x00, 0x00, 0x00, // mov rsp, [regs+16]
	0xc7, 0x05, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, // mov dword [done], 1
	0xb8, 0x07, 0x00, 0x00, 0x00, // mov eax, 7
	0xbf, 0x00, 0x00, 0x00, 0x00, // mov edi, 0
	0xbe, 0x00, 0x00, 0x00, 0x00, // mov esi, 0
	0xba, 0xd0, 0x07, 0x00, 0x00, // mov edx, 2000
	0xe9, 0xad, 0xfe, 0xff, 0xff, // jmp guard
}

// Offsets in the area, and of the int3 in the program.
const (
	programOff = guardArgs // 224
	trapOff    = programOff + 0x3a
	regsOff    = 352
	donePatch  = programOff + 0x52 // the distance to done, from doneEnd
	doneEnd    = programOff + 0x5a
	doneLen    = 16
)

// program lays out the area's head for the tracee as it is.
func (b *Batch) program() []byte {
	head := make([]byte, entriesOff)
	copy(head, guardFor(healCall, b.i.saved, b.i.mask))
	copy(head[programOff:], batchProgram)
	if !b.i.Hold {
		head[trapOff] = 0x90
	}
	binary.LittleEndian.PutUint32(head[donePatch:], uint32(b.size-doneLen-doneEnd))
	for n, v := range []uint64{b.i.saved.Rbx, b.i.saved.R12, b.i.saved.Rsp} {
		binary.LittleEndian.PutUint64(head[regsOff+8*n:], v)
	}
	return head
}

// maskBut is every signal but SIGTRAP, which int3 raises: blocked, the kernel
// would reset the tracee's disposition to deliver it.
const maskBut = blockAll &^ (1 << (uint(unix.SIGTRAP) - 1))

// execute runs the program over length bytes of entries. A child in the making
// ends in a trap. For a caller a trap would be deadly without its tracer: it
// says that it is done, and sleeps in the guard until it is interrupted, or
// goes on with its own call if nobody comes.
func (b *Batch) execute(length uint64) error {
	i := b.i
	i.ran = true
	r := i.saved
	r.Rip, r.Orig_rax = uint64(b.base)+programOff, ^uint64(0)
	r.Rbx = uint64(b.base + b.list)
	r.R12 = r.Rbx + length
	// Not the tracee's own stack: on its alternate one, sigaltstack(2) is EPERM.
	r.Rsp = uint64(b.base + b.size)
	if err := i.SetRegs(r); err != nil {
		return err
	}
	if err := i.block(); err != nil {
		return err
	}
	if !i.Hold {
		return b.toSleep()
	}
	i.masked = true
	if err := i.SetSigMask(maskBut); err != nil {
		return err
	}
	if err := b.toTrap(uint64(b.base) + trapOff + 1); err != nil {
		return err
	}
	return i.SetSigMask(blockAll)
}

// toSleep continues until the program says that it is done, and stops it.
func (b *Batch) toSleep() error {
	done := b.base + b.size - doneLen
	if err := b.i.poke(done, make([]byte, 4)); err != nil {
		return err
	}
	if _, err := b.i.Cont(0); err != nil {
		return err
	}
	r := &Running{TID: b.i.TID}
	for said := false; ; {
		s, stop, over, err := r.poll(unix.WNOHANG)
		switch {
		case over && err != nil:
			return err
		case over && said && (stop.Kind == Interrupt || stop.Kind == Group):
			b.i.Last = s.Last
			return nil
		case over: // a SIGSTOP, or a stop of the group, on the way
			b.i.stops = b.i.stops || stop.Kind == Signal && stop.Sig == unix.SIGSTOP
			if _, err := b.i.Cont(0); err != nil {
				return err
			}
		case !said && b.done(done):
			if err := r.Interrupt(); err != nil {
				return err
			}
			said = true
		default:
			yield()
		}
	}
}

// done reports whether the program has said so.
func (b *Batch) done(at uintptr) bool {
	var word [4]byte
	return b.i.peek(at, word[:]) == nil && word[0] != 0
}

// toTrap continues until the int3 that ends at address end.
func (b *Batch) toTrap(end uint64) error {
	for {
		r, err := b.i.Cont(0)
		if err != nil {
			return err
		}
		s, stop, err := r.Wait()
		if err != nil {
			return err
		}
		b.i.Last = s.Last
		if stop.Kind != Signal {
			continue // an interrupt or group-stop on the way
		}
		if stop.Sig == unix.SIGSTOP {
			b.i.stops = true
			continue
		}
		regs, err := b.i.Regs()
		if err != nil {
			return err
		}
		if stop.Sig != unix.SIGTRAP || regs.Rip != end {
			return fmt.Errorf("pid %d: signal %v at %#x in a batch", b.i.TID, stop.Sig, regs.Rip)
		}
		return nil
	}
}
