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
//	       mov rcx, rax; jrcxz child     (clones for another only, else nops)
//	       rt_sigprocmask(SIG_SETMASK, block, NULL, 8)
//	       rdi, rsi, rdx, r10, r8, rcx, r11 = block
//	       mov rax, [block]              (or mov rax, r9: the call's own result)
//	       mov r9, [block]
//	       jmp [block]
//	child: exit(0)
//
// No instruction changes the flags, and the stack is not used.
var guardCode = [guardBlock]byte{
	0x0f, 0x05,
	0x49, 0x89, 0xc1,
	0x48, 0x89, 0xc1, 0xe3, 0x63,
	0xbf, 0x02, 0x00, 0x00, 0x00,
	0x48, 0x8d, 0x35, 0x6a, 0x00, 0x00, 0x00,
	0xba, 0x00, 0x00, 0x00, 0x00,
	0x41, 0xba, 0x08, 0x00, 0x00, 0x00,
	0xb8, 0x0e, 0x00, 0x00, 0x00,
	0x0f, 0x05,
	0x48, 0x8b, 0x3d, 0x59, 0x00, 0x00, 0x00,
	0x48, 0x8b, 0x35, 0x5a, 0x00, 0x00, 0x00,
	0x48, 0x8b, 0x15, 0x5b, 0x00, 0x00, 0x00,
	0x4c, 0x8b, 0x15, 0x5c, 0x00, 0x00, 0x00,
	0x4c, 0x8b, 0x05, 0x5d, 0x00, 0x00, 0x00,
	0x48, 0x8b, 0x0d, 0x66, 0x00, 0x00, 0x00,
	0x4c, 0x8b, 0x1d, 0x67, 0x00, 0x00, 0x00,
	0x48, 0x8b, 0x05, 0x68, 0x00, 0x00, 0x00,
	0x4c, 0x8b, 0x0d, 0x49, 0x00, 0x00, 0x00,
	0xff, 0x25, 0x63, 0x00, 0x00, 0x00,
	0xbf, 0x00, 0x00, 0x00, 0x00,
	0xb8, 0x3c, 0x00, 0x00, 0x00,
	0x0f, 0x05,
	0xf4,
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
	guardChild  = 5    // the test for a child
	guardResult = 0x59 // where rax is put back
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
	case healCall, healClone:
		copy(b[guardChild:], []byte{0x0f, 0x1f, 0x44, 0x00, 0x00}) // nop
	case healExit:
		copy(b[guardChild:], reapAndExit)
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
