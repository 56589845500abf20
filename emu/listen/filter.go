// SPDX-License-Identifier: Apache-2.0

package listen

import (
	"fmt"
	"slices"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"cloneat-emu/ptrace"
)

// Offsets of the fields of struct seccomp_data that the filter reads.
const (
	offNr   = 0
	offArch = 4
	offArg4 = 40 // args[3], of 64 bits
)

// Program returns the filter: USER_NOTIF for the numbers nrs (up to 200) on arch,
// ALLOW otherwise; and the answer to a tracee that asks whether filters are in force
// (ptrace.SuspendedNr). An x32 call carries bit 30 in its number under the same arch
// value, so it never equals one and needs no test of its own.
func Program(arch uint32, nrs ...uint32) ([]bpf.RawInstruction, error) {
	n := uint8(len(nrs))
	list := []bpf.Instruction{
		bpf.LoadAbsolute{Off: offArch, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: arch, SkipFalse: n + 1}, // to ALLOW
		bpf.LoadAbsolute{Off: offNr, Size: 4},
	}
	const question = 4 // the length of what asks for the fourth argument
	for i, nr := range nrs {
		skip := n - uint8(i)
		if nr != ptrace.SuspendedNr {
			skip += question
		}
		list = append(list, bpf.JumpIf{Cond: bpf.JumpEqual, Val: nr, SkipTrue: skip})
	}
	prog, err := bpf.Assemble(slices.Concat(list, []bpf.Instruction{
		bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW},
		bpf.LoadAbsolute{Off: offArg4, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: ptrace.SuspendedArg & 0xffffffff, SkipFalse: 2},
		bpf.LoadAbsolute{Off: offArg4 + 4, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: ptrace.SuspendedArg >> 32, SkipTrue: 1},
		bpf.RetConstant{Val: unix.SECCOMP_RET_USER_NOTIF},
		bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(ptrace.InForce)},
	}))
	if err != nil {
		return nil, fmt.Errorf("assembling the seccomp filter: %w", err)
	}
	return prog, nil
}
