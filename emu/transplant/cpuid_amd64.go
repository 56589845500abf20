// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"golang.org/x/sys/unix"

	"cloneat-emu/ptrace"
)

// archGetCPUID and archSetCPUID are of arch/x86/include/uapi/asm/prctl.h.
const (
	archGetCPUID = 0x1011
	archSetCPUID = 0x1012
)

// askCPUID asks whether the cpuid instruction works or faults.
func askCPUID(s *script, r *ptrace.Result) {
	s.ask(r, "arch_prctl", unix.SYS_ARCH_PRCTL, archGetCPUID, 0)
}

// setCPUID makes it so.
func setCPUID(s *script, value uintptr) {
	s.add("arch_prctl(ARCH_SET_CPUID)", 0, unix.SYS_ARCH_PRCTL, archSetCPUID, value)
}
