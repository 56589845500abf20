// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"math/bits"
	"strings"

	"golang.org/x/sys/unix"
)

// Flags that x/sys/unix lacks.
const (
	mapHugeShift   = 26
	mapDroppable   = 0x08
	prSetVMA       = 0x53564d41
	prSetVMAName   = 0
	sysMseal       = 462
	madvWipeOnFork = 18
)

// makeMaps recreates the caller's mappings in C, in order. Mappings of files
// come in groups of at most MaxFiles descriptors.
func (b *build) makeMaps() error {
	b.findRows()
	group := newFileGroup(b)
	for i := range b.snap.maps {
		m := &b.snap.maps[i]
		if b.kept[m.start] {
			b.setMapPolicy(m)
		}
		if m.vdso() || m.has("dc") || b.kept[m.start] || m.sysv() {
			continue
		}
		if err := checkMapping(m); err != nil {
			return err
		}
		b.stats.Mappings++
		if m.anonymous() {
			b.queueMap(m, -1)
			continue
		}
		if err := group.add(m); err != nil {
			return err
		}
	}
	if err := group.flush(); err != nil {
		return err
	}
	b.markAllGuarded()
	return nil
}

// checkMapping refuses kinds of memory that cannot be made a second time.
func checkMapping(m *mapping) error {
	switch {
	case m.has("ss"):
		return unsupported("the caller has a shadow stack at %#x", m.start)
	case m.name == "[uprobes-trampoline]":
		return unsupported("the caller is traced by uprobes that go by code at %#x", m.start)
	case m.has("pf") || m.has("io"):
		return unsupported("the caller has device memory mapped at %#x (%s)", m.start, m.name)
	case m.kernels() == "secretmem":
		return unsupported("the caller has secret memory (memfd_secret) at %#x", m.start)
	case strings.HasPrefix(m.name, "anon_inode:"), m.kernels() == "[aio]":
		return unsupported("the caller has a kernel object's ring mapped at %#x (%s)", m.start, m.name)
	}
	return nil
}

// buildProt is the protection that m is created with: writable where its
// contents are to be filled in, unless that would make the kernel account for
// memory that it does not account for in the caller (VM_ACCOUNT, "ac").
func (b *build) buildProt(m *mapping) int {
	if m.prot&unix.PROT_EXEC != 0 && b.deniesWriteExec() {
		return m.prot // for good: it is filled as a debugger does it, and not accounted for
	}
	if b.fills(m) && (m.has("ac") || m.has("nr")) {
		return m.prot | unix.PROT_WRITE | unix.PROT_READ
	}
	if !m.shared && m.has("ac") && m.prot&unix.PROT_WRITE == 0 {
		return m.prot | unix.PROT_WRITE // once writable: it must be accounted for
	}
	return m.prot
}

// queueMap creates m, from C's descriptor fd if it is a file's.
func (b *build) queueMap(m *mapping, fd int) {
	b.script.expect(uintptr(m.start), "mmap "+m.name, m.start, unix.SYS_MMAP, uintptr(m.start), uintptr(m.size()),
		uintptr(b.buildProt(m)), uintptr(m.mmapFlags(fd)), uintptr(fd), uintptr(m.mmapOffset(fd)))
	b.setApart(m)
	b.setMapPolicy(m)
}

// mmapOffset leaves out the offset of anonymous memory, which is its address.
func (m *mapping) mmapOffset(fd int) uint64 {
	if fd < 0 {
		return 0
	}
	return m.offset
}

// privateHuge reports MAP_HUGETLB memory without a file of the caller's own.
func (m *mapping) privateHuge() bool {
	return !m.shared && m.has("ht") && m.kernels() == "anon_hugepage"
}

func (m *mapping) mmapFlags(fd int) int {
	flags := unix.MAP_FIXED
	switch {
	case m.has("dp"):
		flags |= mapDroppable
	case m.shared && m.has("sf"):
		flags |= unix.MAP_SHARED_VALIDATE | unix.MAP_SYNC
	case m.shared:
		flags |= unix.MAP_SHARED
	default:
		flags |= unix.MAP_PRIVATE
	}
	if fd < 0 {
		flags |= unix.MAP_ANONYMOUS
	}
	if m.has("nr") {
		flags |= unix.MAP_NORESERVE
	}
	if m.has("gd") {
		flags |= unix.MAP_GROWSDOWN
	}
	if fd < 0 && m.privateHuge() {
		flags |= unix.MAP_HUGETLB | bits.TrailingZeros64(m.pageSize)<<mapHugeShift
	}
	return flags
}

// finishMaps gives the mappings their attributes and final protection.
// Sealing comes at the very end (sealMaps).
func (b *build) finishMaps() error {
	for i := range b.snap.maps {
		if err := b.anchor(&b.snap.maps[i]); err != nil {
			return err
		}
	}
	for i := range b.snap.maps {
		m := &b.snap.maps[i]
		if m.vdso() || m.has("dc") || b.kept[m.start] {
			continue
		}
		b.advise(m)
		if m.sysv() {
			b.markGuarded(m)
		}
		b.installGuards(m)
		if p := b.buildProt(m); p != m.prot || m.sysv() && m.prot != unix.PROT_READ|unix.PROT_WRITE || m.pkey != 0 {
			b.protect(m)
		}
		b.rejoin(m)
	}
	return nil
}

func (b *build) protect(m *mapping) {
	if m.pkey != 0 && !b.onlyExecutes(m) {
		b.script.add("pkey_mprotect", m.start, unix.SYS_PKEY_MPROTECT, uintptr(m.start), uintptr(m.size()),
			uintptr(m.prot), uintptr(m.pkey))
		return
	}
	b.script.add("mprotect", m.start, unix.SYS_MPROTECT, uintptr(m.start), uintptr(m.size()), uintptr(m.prot))
}

// advice is what madvise(2) makes of a VmFlag.
var advice = []struct {
	flag string
	how  uintptr
}{
	{"sr", unix.MADV_SEQUENTIAL},
	{"rr", unix.MADV_RANDOM},
	{"wf", madvWipeOnFork},
	{"dd", unix.MADV_DONTDUMP},
	{"hg", unix.MADV_HUGEPAGE},
	{"nh", unix.MADV_NOHUGEPAGE},
	{"mg", unix.MADV_MERGEABLE},
}

func (b *build) advise(m *mapping) {
	for _, a := range advice {
		if !m.has(a.flag) || m.has("dp") && (a.flag == "wf" || a.flag == "dd") ||
			m.has("ht") && a.flag == "dd" && m.privateHuge() {
			continue
		}
		b.script.add("madvise "+a.flag, m.start, unix.SYS_MADVISE, uintptr(m.start), uintptr(m.size()), a.how)
	}
	name, ok := strings.CutPrefix(m.name, "[anon:")
	if !ok {
		name, ok = strings.CutPrefix(m.name, "[anon_shmem:")
	}
	if ok {
		b.script.room(1, len(name)+1)
		b.script.try("prctl(PR_SET_VMA)", unix.SYS_PRCTL, prSetVMA, prSetVMAName, uintptr(m.start),
			uintptr(m.size()), b.script.text(strings.TrimSuffix(name, "]")))
	}
}

// sealMaps seals what the caller sealed.
func (b *build) sealMaps() error {
	for i := range b.snap.maps {
		if m := &b.snap.maps[i]; m.has("sl") && !m.vdso() && !m.has("dc") && !b.kept[m.start] {
			b.script.add("mseal", m.start, sysMseal, uintptr(m.start), uintptr(m.size()), 0)
		}
	}
	return nil
}
