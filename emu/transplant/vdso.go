// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// moveVDSO brings C's vdso and vvar pages to the caller's addresses. mremap(2)
// tells the kernel (vdso_mremap sets mm->context.vdso), which needs it for
// signal returns of 32-bit code. All pages go aside first: the old place of
// one may be the new place of another.
func (b *build) moveVDSO() error {
	from, to := vdsoMaps(b.maps), vdsoMaps(b.snap.maps)
	if what := differentVDSO(from, to); what != "" {
		return unsupported("%s", what)
	}
	aside := b.stage + scriptSize
	var moves []vdsoMove
	for i := range from {
		if from[i].start != to[i].start {
			if from[i].has("sl") {
				return unsupported("%s is sealed and cannot be moved to the caller's address", from[i].name)
			}
			moves = append(moves, vdsoMove{from[i].name, from[i].start, aside, to[i].start, from[i].size()})
			aside += from[i].size()
		}
	}
	for _, m := range moves {
		b.moveOne(m.name, m.from, m.aside, m.size)
	}
	for _, m := range moves {
		b.moveOne(m.name, m.aside, m.to, m.size)
	}
	for _, m := range to {
		if m.name == "[vdso]" { // drops what was written into the target's
			b.script.try("madvise(MADV_DONTNEED)", unix.SYS_MADVISE, uintptr(m.start), uintptr(m.size()), unix.MADV_DONTNEED)
		}
	}
	return nil
}

// differentVDSO says in what the caller's vdso and vvar pages are not those of C: the
// kernel gives the same to all, but a program may have unmapped or split them.
func differentVDSO(from, to []*mapping) string {
	if len(from) != len(to) {
		return fmt.Sprintf("caller and target have different vdso mappings (%d and %d)", len(to), len(from))
	}
	for i := range from {
		if from[i].name != to[i].name || from[i].size() != to[i].size() {
			return fmt.Sprintf("the caller's %s is not where the kernel put it", to[i].name)
		}
	}
	return ""
}

type vdsoMove struct {
	name                  string
	from, aside, to, size uint64
}

func (b *build) moveOne(name string, from, to, size uint64) {
	b.script.expect(uintptr(to), "mremap of "+name, from, unix.SYS_MREMAP,
		uintptr(from), uintptr(size), uintptr(size), unix.MREMAP_MAYMOVE|unix.MREMAP_FIXED, uintptr(to))
}

func vdsoMaps(maps []mapping) []*mapping {
	var out []*mapping
	for i := range maps {
		if maps[i].vdso() {
			out = append(out, &maps[i])
		}
	}
	return out
}
