// SPDX-License-Identifier: Apache-2.0

package transplant

import "golang.org/x/sys/unix"

// readImpliesExec would make every readable mapping executable.
const readImpliesExec = 0x0400000

func readPersonality(tid int) (uint64, error) {
	b, err := readProc(tid, "personality")
	if err != nil {
		return 0, err
	}
	line, _ := nextLine(b)
	return parseHex(line), nil
}

// startPersonality takes READ_IMPLIES_EXEC away before mappings are made.
func (b *build) startPersonality() error {
	p, err := readPersonality(b.c.TID)
	b.personality = p
	if err == nil && !b.opt.keepsMemory() && p&readImpliesExec != 0 {
		b.script.add("personality", 0, unix.SYS_PERSONALITY, uintptr(p&^readImpliesExec))
		b.personality = p &^ readImpliesExec
	}
	return err
}

// setPersonality gives C the caller's.
func (b *build) setPersonality() error {
	if b.personality != b.snap.personality {
		b.script.add("personality", b.snap.personality, unix.SYS_PERSONALITY, uintptr(b.snap.personality))
	}
	return nil
}
