// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"golang.org/x/sys/unix"
)

// Two neighbouring mappings may differ in nothing and yet be two: their pages belong
// to different anon_vmas (mm/vma.c, is_mergeable_anon_vma), because one is older than
// a fork, or because something that set them apart, like a lock, is gone or is not
// inherited. Made anew, the kernel would merge them, which /proc/PID/maps shows.
//
// Every other one in such a row is set apart: one of a file is made from an open file
// description of its own, one of anonymous memory is excluded from core dumps until each
// has a page and with it an anon_vma. A row counts from what C will have, not from what the
// caller has.
//
// Others are one only until they get what tells them apart, their advice or protection.
// That does no harm but where one of them has had guards: what is one has had them, and the
// parts keep that mark for good (VMA_STICKY_FLAGS in include/linux/mm.h). These are rows too.

// apart tells how a mapping is kept from merging with the one before it.
type apart struct {
	row bool // part of a row
	odd bool // every other one
}

// findRows marks the rows among the caller's mappings.
func (b *build) findRows() {
	b.rows = map[uint64]apart{}
	for i := 1; i < len(b.snap.maps); i++ {
		m, o := &b.snap.maps[i-1], &b.snap.maps[i]
		if b.canBeOne(m, o) {
			b.joinRow(m, o)
		}
	}
}

// joinRow makes m and o, behind it, unlike each other. What C has of one is as it is.
func (b *build) joinRow(m, o *mapping) {
	odd := b.rows[m.start].odd
	switch {
	case b.kept[m.start]:
		odd = m.has("dd")
	case b.kept[o.start]:
		odd = !o.has("dd")
	}
	if !b.kept[m.start] {
		b.rows[m.start] = apart{row: true, odd: odd}
	}
	if !b.kept[o.start] {
		b.rows[o.start] = apart{row: true, odd: !odd}
	}
}

// canBeOne reports whether the kernel could make one of m and o behind it, which C is not
// to have as one or not to have had.
func (b *build) canBeOne(m, o *mapping) bool {
	switch {
	case !canJoinRow(m) || !canJoinRow(o) || b.kept[m.start] && b.kept[o.start]:
		return false
	case m.has("gu") != o.has("gu"):
		return m.continues(o)
	}
	return !b.kept[m.start] && !b.kept[o.start] && m.merges(o)
}

// canJoinRow reports whether a row can go through m.
func canJoinRow(m *mapping) bool {
	return !m.vdso() && !m.sysv() && !m.has("dc") && !m.has("ht") && !m.has("dp")
}

// continues reports whether o begins where m ends, in memory and in the same file if any.
func (m *mapping) continues(o *mapping) bool {
	return m.end == o.start && m.shared == o.shared && m.inode == o.inode && m.dev == o.dev &&
		(m.inode == 0 || m.offset+m.size() == o.offset)
}

// merges reports whether the kernel would make one of m and o behind it, but for
// their anon_vmas.
func (m *mapping) merges(o *mapping) bool {
	a, c := m.shape(mergedFlags), o.shape(mergedFlags)
	a.start, a.end, a.offset = c.start, c.end, c.offset
	return m.continues(o) && a == c
}

// mergedFlags drops the VmFlags that do not keep mappings apart as well: what merges has
// been guarded if one of them has (VMA_STICKY_FLAGS in include/linux/mm.h).
func mergedFlags(flags string) string { return withoutFlags(inheritedFlags(flags), "gu") }

// setApart queues what keeps m, just made, from one with its neighbours.
func (b *build) setApart(m *mapping) {
	r := b.rows[m.start]
	if r.odd && m.anonymous() && !m.shared {
		b.script.add("madvise(MADV_DONTDUMP)", m.start, unix.SYS_MADVISE,
			uintptr(m.start), uintptr(m.size()), unix.MADV_DONTDUMP)
	}
}

// anchor gives a mapping of a row without contents an anon_vma, by a page that is
// dropped again.
func (b *build) anchor(m *mapping) error {
	if !b.rows[m.start].row || !m.anonymous() || m.shared || b.fills(m) {
		return nil
	}
	if b.buildProt(m)&unix.PROT_WRITE != 0 {
		b.script.add("getcpu", m.start, unix.SYS_GETCPU, uintptr(m.start), 0, 0)
	} else if err := b.pokeFirst(m); err != nil {
		return err
	}
	b.script.add("madvise(MADV_DONTNEED)", m.start, unix.SYS_MADVISE,
		uintptr(m.start), uintptr(m.size()), unix.MADV_DONTNEED)
	return nil
}

// pokeFirst writes to m as a debugger does, whatever its protection.
func (b *build) pokeFirst(m *mapping) error {
	if err := b.script.run(); err != nil {
		return err
	}
	return b.c.Write(uintptr(m.start), make([]byte, 8))
}

// rejoin makes the members of a row equal again: the anon_vmas keep them two.
func (b *build) rejoin(m *mapping) {
	if r := b.rows[m.start]; r.row && r.odd && m.anonymous() && !m.shared && !m.has("dd") {
		b.script.add("madvise(MADV_DODUMP)", m.start, unix.SYS_MADVISE,
			uintptr(m.start), uintptr(m.size()), unix.MADV_DODUMP)
	}
}
