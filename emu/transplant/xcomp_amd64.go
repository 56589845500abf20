// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"math/bits"

	"golang.org/x/sys/unix"

	"cloneat-emu/ptrace"
)

// archGetXcompPerm and archReqXcompPerm are of arch/x86/include/uapi/asm/prctl.h (Linux 5.16).
const (
	archGetXcompPerm = 0x1022
	archReqXcompPerm = 0x1023
)

// askXcomp asks which extended features of the processor the process may use: large ones,
// as AMX, take a permission that fork(2) hands down (fpu_inherit_perms() in
// arch/x86/kernel/fpu/core.c). The answer is a 64-bit word at out.
func askXcomp(s *script, out uintptr) {
	s.try("arch_prctl(ARCH_GET_XCOMP_PERM)", unix.SYS_ARCH_PRCTL, archGetXcompPerm, out)
}

// setXcomp asks for those of the caller's that C has not. It comes after the alternate stack,
// whose size the kernel looks at. What the target may use beyond the caller nothing takes back.
func (b *build) setXcomp() error {
	for lacks := b.snap.own.xcomp &^ b.own.xcomp; lacks != 0; lacks &= lacks - 1 {
		var r ptrace.Result
		feature := bits.TrailingZeros64(lacks)
		b.script.ask(&r, "arch_prctl(ARCH_REQ_XCOMP_PERM)", unix.SYS_ARCH_PRCTL, archReqXcompPerm, uintptr(feature))
		b.script.then(func() error {
			if r.Errno != 0 {
				return unsupported("the caller may use extended feature %d of the processor, and its child cannot have it: %v", feature, r.Errno)
			}
			return nil
		})
	}
	return nil
}
