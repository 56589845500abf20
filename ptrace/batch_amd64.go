package ptrace

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// batchProgram runs the entries from rbx up to r12 and ends in int3:
//
//	loop: cmp rbx, r12; jae end
//	      mov rax, [rbx]; mov rdi, [rbx+8]; ... mov r9, [rbx+48]
//	      syscall
//	      mov [rbx], rax
//	      cmp qword [rbx+56], 0; jne next
//	      cmp rax, -4095; jae end
//	next: add rbx, 64; jmp loop
//	end:  int3
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
	0xcc, // end: int3
}

// maskBut is every signal but SIGTRAP, which int3 raises: blocked, the kernel
// would reset the tracee's disposition to deliver it.
const maskBut = blockAll &^ (1 << (uint(unix.SIGTRAP) - 1))

// execute runs the program over length bytes of entries, to its int3.
func (b *Batch) execute(length uint64) error {
	i := b.i
	if err := i.block(); err != nil { // before it is replaced: the mask is known
		return err
	}
	i.ran, i.masked = true, true
	if err := i.SetSigMask(maskBut); err != nil {
		return err
	}
	r := i.saved
	r.Rip, r.Orig_rax = uint64(b.base), ^uint64(0)
	r.Rbx = uint64(b.base + b.list)
	r.R12 = r.Rbx + length
	// Not the tracee's own stack: on its alternate one, sigaltstack(2) is EPERM.
	r.Rsp = uint64(b.base + b.size)
	if err := i.SetRegs(r); err != nil {
		return err
	}
	if err := b.toTrap(uint64(b.base) + uint64(len(batchProgram))); err != nil {
		return err
	}
	return i.SetSigMask(blockAll)
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
