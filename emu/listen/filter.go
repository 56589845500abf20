package listen

import (
	"fmt"
	"slices"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Offsets of the two fields of struct seccomp_data that the filter reads.
const (
	offNr   = 0
	offArch = 4
)

// Program returns the filter: USER_NOTIF for the numbers nrs (up to 250) on arch,
// ALLOW otherwise. An x32 call carries bit 30 in its number under the same arch
// value, so it never equals one and needs no test of its own.
func Program(arch uint32, nrs ...uint32) ([]bpf.RawInstruction, error) {
	n := uint8(len(nrs))
	list := []bpf.Instruction{
		bpf.LoadAbsolute{Off: offArch, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: arch, SkipFalse: n + 1}, // to ALLOW
		bpf.LoadAbsolute{Off: offNr, Size: 4},
	}
	for i, nr := range nrs {
		list = append(list, bpf.JumpIf{Cond: bpf.JumpEqual, Val: nr, SkipTrue: n - uint8(i)})
	}
	prog, err := bpf.Assemble(slices.Concat(list, []bpf.Instruction{
		bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW},
		bpf.RetConstant{Val: unix.SECCOMP_RET_USER_NOTIF},
	}))
	if err != nil {
		return nil, fmt.Errorf("assembling the seccomp filter: %w", err)
	}
	return prog, nil
}
