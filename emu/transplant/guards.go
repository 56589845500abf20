// SPDX-License-Identifier: Apache-2.0

package transplant

import "golang.org/x/sys/unix"

const (
	madvGuardInstall = 102
	madvGuardRemove  = 103
)

// guards are the pages of m, in C, that nobody may touch (MADV_GUARD_INSTALL). They are in
// the page tables, of which a child gets none where the caller asked for that
// (MADV_WIPEONFORK).
func (b *build) guards(m *mapping) []span {
	if m.has("wf") {
		return nil
	}
	return within(b.snap.pages.guards, m.start, m.end)
}

// installGuards gives C's mapping the guards of the caller's.
func (b *build) installGuards(m *mapping) {
	for _, g := range b.guards(m) {
		b.script.add("madvise(MADV_GUARD_INSTALL)", g.start, unix.SYS_MADVISE, uintptr(g.start),
			uintptr(g.end-g.start), madvGuardInstall)
	}
}

// markAllGuarded marks what was made anew, when nothing is one with its neighbour any more.
func (b *build) markAllGuarded() {
	for i := range b.snap.maps {
		if m := &b.snap.maps[i]; !b.kept[m.start] && !m.vdso() && !m.sysv() && !m.has("dc") {
			b.markGuarded(m)
		}
	}
}

// markGuarded gives C's mapping, which has no contents yet, the mark of one that has had
// guards ("gu" in VmFlags, Linux 6.19): it is never taken off, and fork(2) hands it down.
func (b *build) markGuarded(m *mapping) {
	if !m.has("gu") || len(b.guards(m)) > 0 {
		return
	}
	for _, how := range []uintptr{madvGuardInstall, madvGuardRemove} {
		b.script.add("madvise gu", m.start, unix.SYS_MADVISE, uintptr(m.start), pageSize, how)
	}
}
