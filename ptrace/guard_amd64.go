// SPDX-License-Identifier: Apache-2.0

package ptrace

import "encoding/binary"

// The code that an injected call runs in heals the tracee if its tracer dies
// while the call is under way: instead of the `syscall; whatever follows` of
// the program, the instruction is followed by code that puts everything back
// and goes on where the program was. A live tracer stops the tracee at the
// call's end, so that the code behind the instruction never runs.
//
//	guard: syscall
//	       mov r9, rax
//	       if rax < 0: spin              (clones for which the tracer waits: see atOnce)
//	       mov rcx, rax; jrcxz child     (clones for another only, else nops)
//	       rt_sigprocmask(SIG_SETMASK, block, NULL, 8)
//	       rdi, rsi, rdx, r10, r8, rcx, r11 = block
//	       mov rax, [block]              (or mov rax, r9: the call's own result)
//	       mov r9, [block]
//	       jmp [block]
//	child: exit(0)
//
// No instruction changes the flags, and the stack is not used. A clone's error is told by
// the upper half of rax, which no pid has: bswap brings it down to where jrcxz tests it.
var guardCode = [guardBlock]byte{
	0x0f, 0x05, // syscall
	0x49, 0x89, 0xc1, // mov r9, rax
	0x48, 0x89, 0xc1, // mov rcx, rax
	0x48, 0x0f, 0xc9, // bswap rcx
	0x89, 0xc9, // mov ecx, ecx
	0xe3, 0x07, // jrcxz +7
	0xb9, 0x00, 0x00, 0x00, 0x10, // mov ecx, 1<<28
	0xe2, 0xfe, // loop .
	0x48, 0x89, 0xc1, // mov rcx, rax
	0xe3, 0x5d, // jrcxz child
	0xbf, 0x02, 0x00, 0x00, 0x00, // mov edi, SIG_SETMASK
	0x48, 0x8d, 0x35, 0x59, 0x00, 0x00, 0x00, // lea rsi, [block]
	0x8d, 0x57, 0xfe, // lea edx, [rdi-2]
	0x44, 0x8d, 0x57, 0x06, // lea r10d, [rdi+6]
	0x8d, 0x47, 0x0c, // lea eax, [rdi+12]
	0x0f, 0x05, // syscall
	0x48, 0x8b, 0x3d, 0x4e, 0x00, 0x00, 0x00, // mov rdi, [block+8]
	0x48, 0x8b, 0x35, 0x4f, 0x00, 0x00, 0x00, // mov rsi, [block+16]
	0x48, 0x8b, 0x15, 0x50, 0x00, 0x00, 0x00, // mov rdx, [block+24]
	0x4c, 0x8b, 0x15, 0x51, 0x00, 0x00, 0x00, // mov r10, [block+32]
	0x4c, 0x8b, 0x05, 0x52, 0x00, 0x00, 0x00, // mov r8, [block+40]
	0x48, 0x8b, 0x0d, 0x5b, 0x00, 0x00, 0x00, // mov rcx, [block+56]
	0x4c, 0x8b, 0x1d, 0x5c, 0x00, 0x00, 0x00, // mov r11, [block+64]
	0x48, 0x8b, 0x05, 0x5d, 0x00, 0x00, 0x00, // mov rax, [block+72]
	0x4c, 0x8b, 0x0d, 0x3e, 0x00, 0x00, 0x00, // mov r9, [block+48]
	0xff, 0x25, 0x58, 0x00, 0x00, 0x00, // jmp [block+80]
	0x89, 0xcf, // child: mov edi, ecx
	0x8d, 0x41, 0x3c, // lea eax, [rcx+60]
	0x0f, 0x05, // syscall
	0xf4, // hlt
}

// reapAndExit is what follows the instruction in a helper of ours: it waits for the
// child that it may have made, whose death nobody else would hear of (its exit signal
// is 0, and as a zombie it would keep the init of its pid namespace from ending), and
// exits.
//
//	wait4(-1, NULL, __WALL | __WNOTHREAD, NULL)
//	exit(0)
var reapAndExit = []byte{
	0xbf, 0xff, 0xff, 0xff, 0xff,
	0x31, 0xf6,
	0xba, 0x00, 0x00, 0x00, 0x60,
	0x45, 0x31, 0xd2,
	0xb8, 0x3d, 0x00, 0x00, 0x00,
	0x0f, 0x05,
	0xbf, 0x00, 0x00, 0x00, 0x00,
	0xb8, 0x3c, 0x00, 0x00, 0x00,
	0x0f, 0x05,
	0xf4,
}

// Offsets in a slot: the code, the block of what it puts back, and room for a
// call's arguments.
const (
	guardBehind = 5   // what follows the call
	guardChild  = 22  // the test for a child, and the end of the spinning
	guardResult = 100 // where rax is put back
	guardBlock  = 128
	guardArgs   = 224
	guardSize   = 352
)

// heal says what the guard of an injected call does without its tracer.
type heal int

const (
	healCall  heal = iota // the program's own call goes on
	healFork              // likewise; a child exits
	healClone             // the clone was the program's: both return from it
	healExit              // the thread is a helper of ours, reaps its child and ends
)

// guardFor lays out code and block for a tracee with registers r and mask.
func guardFor(h heal, r Regs, mask uint64) []byte {
	b := make([]byte, guardArgs)
	copy(b, guardCode[:])
	switch h {
	case healCall:
		copy(b[guardBehind:], []byte{0xeb, guardChild + 5 - guardBehind - 2}) // jmp
	case healClone:
		copy(b[guardChild:], []byte{0x0f, 0x1f, 0x44, 0x00, 0x00}) // nop
	case healExit:
		copy(b[guardBehind:], reapAndExit)
	}
	if h == healClone {
		copy(b[guardResult:], []byte{0x4c, 0x89, 0xc8, 0x0f, 0x1f, 0x40, 0x00}) // mov rax, r9; nop
	} else {
		r = restarted(r)
	}
	block := []uint64{mask, r.Rdi, r.Rsi, r.Rdx, r.R10, r.R8, r.R9, r.Rcx, r.R11, r.Rax, r.Rip}
	for i, v := range block {
		binary.LittleEndian.PutUint64(b[guardBlock+8*i:], v)
	}
	return b
}

// inGuard tells where a tracee stands that was to make a clone in its slot.
func (i *Injection) inGuard(r Regs) where {
	switch at := r.Rip - uint64(i.slot.addr); {
	case at == 0 || at == syscallLen && Restarts(r):
		return guardBefore
	case at >= syscallLen && at < guardChild:
		return guardSpins
	case at < guardBlock:
		return guardHeals
	}
	return guardLeft
}

// restarted does by hand what the kernel's signal code does for a call that is
// to be restarted and met no signal (arch_do_signal_or_restart).
func restarted(r Regs) Regs {
	const restartSyscall = 219
	if !Restarts(r) {
		return r
	}
	if int64(r.Rax) == restartBlock {
		r.Rax = restartSyscall
	} else {
		r.Rax = r.Orig_rax
	}
	r.Rip -= syscallLen
	return r
}
