// SPDX-License-Identifier: Apache-2.0

package ptrace

import "golang.org/x/sys/unix"

// nativeArch is what the kernel calls the entry for 64-bit calls: those for 32-bit ones
// have other numbers.
const nativeArch = unix.AUDIT_ARCH_X86_64

// syscallOff is where the batch's loop makes its calls, an offset in the area: behind the
// two instructions of seven bytes that come before the loop.
const syscallOff = programOff + 2*7 + 32

// callOf is the call that registers of forCall make: its number and arguments.
func callOf(r Regs) [7]uint64 { return [7]uint64{r.Rax, r.Rdi, r.Rsi, r.Rdx, r.R10, r.R8, r.R9} }

// withoutCall returns r, at the entry of a call, so that none is made.
func withoutCall(r Regs) Regs { r.Orig_rax = ^uint64(0); return r }
