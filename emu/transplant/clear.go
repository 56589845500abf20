// SPDX-License-Identifier: Apache-2.0

package transplant

import "golang.org/x/sys/unix"

// clearMemory unmaps everything of the target's from C but the stage, the
// vdso and what is the same in the caller (see same.go).
func (b *build) clearMemory() error {
	keep := []span{{b.stage, b.stage + b.stageSize()}}
	for i := range b.maps {
		if m := &b.maps[i]; m.vdso() || b.kept[m.start] {
			keep = append(keep, span{m.start, m.end})
		}
	}
	for _, g := range gaps(keep, topOf(b.maps)) {
		if b.mapped(g) {
			b.script.add("munmap", g.start, unix.SYS_MUNMAP, uintptr(g.start), uintptr(g.end-g.start))
		}
	}
	if b.sealed() {
		return unsupported("the target has sealed mappings (mseal(2)), which its child cannot drop")
	}
	return b.moveVDSO()
}

// mapped reports whether C has anything in g.
func (b *build) mapped(g span) bool {
	for i := range b.maps {
		if b.maps[i].start < g.end && b.maps[i].end > g.start {
			return true
		}
	}
	return false
}

// sealed reports whether C has a sealed mapping that would have to go.
func (b *build) sealed() bool {
	for i := range b.maps {
		if m := &b.maps[i]; m.has("sl") && !m.vdso() && !b.kept[m.start] {
			return true
		}
	}
	return false
}
