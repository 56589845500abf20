// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Supported says whether calls can be injected on this architecture.
const Supported = true

// Regs are the general registers, segment bases included (NT_PRSTATUS).
type Regs = unix.PtraceRegs

// segment of 64-bit user code (arch/x86/include/asm/segment.h, __USER_CS).
const userCS64 = 0x33

// syscallLen is the length of the `syscall` instruction, 0f 05.
const syscallLen = 2

// Regs reads the general registers. The number of the system call is what the kernel takes it
// for, 32 bits (do_syscall_64()), whatever the program had in the upper half.
func (s *Stopped) Regs() (Regs, error) {
	var regs Regs
	_, err := regset("GETREGSET", s.TID, notePrStatus, bytesOf(&regs), false)
	regs.Orig_rax = uint64(int64(int32(regs.Orig_rax)))
	return regs, err
}

// SetRegs writes the general registers.
func (s *Stopped) SetRegs(regs Regs) error {
	_, err := regset("SETREGSET", s.TID, notePrStatus, bytesOf(&regs), true)
	return err
}

// XState reads the extended state (x87, SSE, AVX, ...: NT_X86_XSTATE) in the
// processor's own layout. One without XSAVE (QEMU's usual one) has x87 and SSE alone, in
// FXSAVE's (NT_PRFPREG).
func (s *Stopped) XState() ([]byte, error) {
	buf := make([]byte, 16<<10)
	n, err := regset("GETREGSET XSTATE", s.TID, noteXState, buf, false)
	if errors.Is(err, unix.ENODEV) {
		n, err = regset("GETREGSET PRFPREG", s.TID, notePrFPReg, buf[:fxsaveSize], false)
	}
	if err != nil {
		return nil, err
	}
	return buf[:n], nil
}

// SetXState writes what XState read, here or in another tracee.
func (s *Stopped) SetXState(p []byte) error {
	note := uintptr(noteXState)
	if len(p) == fxsaveSize { // XSAVE's begins with that, and a header
		note = notePrFPReg
	}
	_, err := regset("SETREGSET XSTATE", s.TID, note, p, true)
	return err
}

const fxsaveSize = 512

// Values that a system call leaves in rax for the signal code to act upon
// (include/linux/errno.h); a program never sees them.
const (
	restartSys    = -512
	restartNoIntr = -513
	restartNoHand = -514
	restartBlock  = -516
)

// InSyscall reports whether the registers are those of a thread that was
// interrupted inside a system call, and which one.
func InSyscall(r Regs) (nr int, in bool) {
	return int(int64(r.Orig_rax)), int64(r.Orig_rax) >= 0
}

// Restarts reports whether the kernel's signal code will restart the call.
func Restarts(r Regs) bool {
	switch int64(r.Rax) {
	case restartSys, restartNoIntr, restartNoHand, restartBlock:
		return int64(r.Orig_rax) >= 0
	}
	return false
}

// WithResult returns the registers that a completed call leaves: value in rax,
// and no call under way that the kernel could restart.
func WithResult(r Regs, value int64) Regs {
	r.Rax = uint64(value)
	r.Orig_rax = ^uint64(0)
	return r
}

// fdIn is the descriptor that a register holds: a caller need not clear its upper half.
func fdIn(register uint64) int { return int(int32(register)) }

// CallArgs are the first three arguments of the call that a thread stands in.
func CallArgs(r Regs) [3]uint64 { return [3]uint64{r.Rdi, r.Rsi, r.Rdx} }

// returned is what a call returned, negative for an errno.
func returned(r Regs) int64 { return int64(r.Rax) }

// WithStackOf returns r with the stack pointer and the segment bases of own.
func WithStackOf(r, own Regs) Regs {
	r.Rsp, r.Fs_base, r.Gs_base = own.Rsp, own.Fs_base, own.Gs_base
	return r
}

// Stack returns the stack pointer.
func Stack(r Regs) uint64 { return r.Rsp }

// WithStack returns r with another stack pointer.
func WithStack(r Regs, stack uint64) Regs { r.Rsp = stack; return r }

// WithTLS returns r with another thread pointer.
func WithTLS(r Regs, tls uint64) Regs { r.Fs_base = tls; return r }

// AfterSyscall returns r with what the syscall instruction leaves in a program's
// registers.
func AfterSyscall(r Regs) Regs { r.Rcx, r.R11 = r.Rip, r.Eflags; return r }

// KeepFromEINTR turns a call that a handler without SA_RESTART would end with
// EINTR into one that always restarts (ERESTARTNOINTR).
func KeepFromEINTR(r Regs) Regs {
	if int64(r.Rax) == restartSys && int64(r.Orig_rax) >= 0 {
		noIntr := int64(restartNoIntr)
		r.Rax = uint64(noIntr)
	}
	return r
}

// behind returns r with the instruction pointer behind the call at insn.
func behind(r Regs, insn uint64) Regs { r.Rip = insn + syscallLen; return r }

// trapFlag has the tracee trap at every instruction: a program may step itself. What is
// injected is no step of it, and a trap that is blocked would kill it. The others are for
// code of ours that works in memory: alignment checks, and string instructions backwards.
const (
	trapFlag  = 1 << 8
	backFlag  = 1 << 10
	alignFlag = 1 << 18
)

// forCall returns registers that make call nr at the instruction at insn.
func forCall(r Regs, insn uint64, nr uintptr, args []uintptr) Regs {
	slots := []*uint64{&r.Rdi, &r.Rsi, &r.Rdx, &r.R10, &r.R8, &r.R9}
	for i, a := range args {
		*slots[i] = uint64(a)
	}
	r.Rip, r.Rax, r.Orig_rax = insn, uint64(nr), ^uint64(0)
	r.Eflags &^= trapFlag
	return r
}

// outcome splits rax into a value and an errno (-4095..-1).
func outcome(r Regs) (uintptr, error) {
	if v := int64(r.Rax); v < 0 && v >= -4095 {
		return 0, unix.Errno(-v)
	}
	return uintptr(r.Rax), nil
}

// check64 refuses a tracee that runs 32-bit code.
func check64(tid int, r Regs) error {
	if r.Cs != userCS64 {
		return fmt.Errorf("pid %d runs 32-bit code: %w", tid, unix.EOPNOTSUPP)
	}
	return nil
}
