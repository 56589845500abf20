// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// A target that forked from the caller and never exec'ed has much of the
// caller's memory still, shared copy-on-write, and so has its child C. Mappings
// of C that are the caller's in every respect are kept, and in them only those
// pages are copied whose page frame differs: two processes that map one frame
// at one place hold the same bytes. Frame numbers are shown to CAP_SYS_ADMIN
// alone; without it every page differs.

// findKept finds the mappings of C that can stay.
func (b *build) findKept() (err error) {
	b.kept = map[uint64]bool{}
	b.surplus = nil // an image before an exec had its own
	if b.exe.differs || b.opt.keepsMemory() {
		return nil
	}
	if b.mine, err = privatePages(b.c.TID, b.maps); err != nil {
		return err
	}
	have := map[uint64]*mapping{}
	for i := range b.maps {
		have[b.maps[i].start] = &b.maps[i]
	}
	for i := range b.snap.maps {
		m := &b.snap.maps[i]
		if c := have[m.start]; c != nil && m.same(c) && b.canKeep(m) {
			b.kept[m.start] = true
		}
	}
	return nil
}

// canKeep leaves out what is easier made anew, and System V memory that is not the caller's.
func (b *build) canKeep(m *mapping) bool {
	return !m.vdso() && !m.has("dc") && !m.has("ht") && (!m.sysv() || b.keepsSegment(m)) &&
		len(within(b.snap.pages.guards, m.start, m.end)) == 0 && len(within(b.mine.guards, m.start, m.end)) == 0
}

// same reports whether two mappings differ in nothing but contents.
func (m *mapping) same(o *mapping) bool {
	return m.shape(inheritedFlags) == o.shape(inheritedFlags)
}

// notInherited are the VmFlags that fork(2) does not hand down: locked memory,
// userfaultfd, and soft-dirty marks.
var notInherited = []string{"lo", "lf", "um", "uw", "ui", "ur", "sd"}

func inheritedFlags(flags string) string { return withoutFlags(flags, notInherited...) }

func withoutFlags(flags string, drop ...string) string {
	kept := slices.DeleteFunc(strings.Fields(flags), func(f string) bool { return slices.Contains(drop, f) })
	return strings.Join(kept, " ")
}

// compareKept finds what is to be copied into the kept mappings, and what C
// has in them that the caller has not.
func (b *build) compareKept() error {
	var frames frameReader
	if err := frames.open(b.snap.caller.TID, b.c.TID); err != nil {
		return err
	}
	defer frames.close()
	for i := range b.snap.maps {
		m := &b.snap.maps[i]
		if !b.kept[m.start] || m.shared {
			continue
		}
		want := within(b.snap.pages.private, m.start, m.end)
		if m.has("wf") {
			want = nil
		}
		differing, err := frames.differing(want)
		if err != nil {
			return err
		}
		if worthless(m, differing, want) {
			delete(b.kept, m.start)
			b.toFill[m.start] = want
			continue
		}
		b.surplus = append(b.surplus, subtract(within(b.mine.private, m.start, m.end), want)...)
		b.toFill[m.start] = differing
	}
	return nil
}

// worthless reports whether a mapping is better made anew: most of its pages
// have to be copied, and to copy over a page that is shared copies it twice,
// and never into huge pages.
func worthless(m *mapping, differing, want []span) bool {
	const small = 1 << 20
	n := total(differing)
	return n > small && 2*n > total(want) && m.anonymous()
}

// total is the length of all spans in bytes.
func total(spans []span) (n uint64) {
	for _, s := range spans {
		n += s.end - s.start
	}
	return n
}

// dropSurplus gives pages of C's back that the caller has not: they read as
// zeroes, or as the file, again.
func (b *build) dropSurplus() error {
	for _, s := range b.surplus {
		b.script.add("madvise(MADV_DONTNEED)", s.start, unix.SYS_MADVISE,
			uintptr(s.start), uintptr(s.end-s.start), unix.MADV_DONTNEED)
	}
	return nil
}

// subtract returns what of the sorted spans a is not in the sorted spans b.
func subtract(a, b []span) (out []span) {
	for _, s := range a {
		for len(b) > 0 && b[0].end <= s.start {
			b = b[1:]
		}
		for _, o := range b {
			if o.start >= s.end {
				break
			}
			if o.start > s.start {
				out = append(out, span{s.start, o.start})
			}
			s.start = max(s.start, o.end)
		}
		if s.start < s.end {
			out = append(out, s)
		}
	}
	return out
}

// frameReader compares the page tables of two processes.
type frameReader struct {
	a, b       int
	bufA, bufB []uint64
}

func (f *frameReader) open(a, b int) (err error) {
	if f.a, err = openProc(a, "pagemap", unix.O_RDONLY); err != nil {
		return err
	}
	if f.b, err = openProc(b, "pagemap", unix.O_RDONLY); err != nil {
		unix.Close(f.a)
	}
	return err
}

func (f *frameReader) close() {
	unix.Close(f.a)
	unix.Close(f.b)
}

// differing returns the pages of spans that are not one frame in both.
func (f *frameReader) differing(spans []span) ([]span, error) {
	var out []span
	bufA, bufB := f.buffers(longest(spans) / pageSize)
	for _, s := range spans {
		for at := s.start; at < s.end; {
			n := int(min(uint64(len(bufA)), (s.end-at)/pageSize))
			if err := readEntries(f.a, at, bufA[:n]); err != nil {
				return nil, err
			}
			if err := readEntries(f.b, at, bufB[:n]); err != nil {
				return nil, err
			}
			for i := range n {
				if !sameFrame(bufA[i], bufB[i]) {
					out = appendSpan(out, at, at+pageSize)
				}
				at += pageSize
			}
		}
	}
	return out, nil
}

// longest is the length of the longest span in bytes, up to what is read at a time.
func longest(spans []span) (n uint64) {
	const most = 128 << 20
	for _, s := range spans {
		n = max(n, s.end-s.start)
	}
	return min(n, most)
}

// buffers are as many entries for each.
func (f *frameReader) buffers(n uint64) (a, b []uint64) {
	if uint64(len(f.bufA)) < n {
		f.bufA, f.bufB = make([]uint64, n), make([]uint64, n)
	}
	return f.bufA, f.bufB
}

// sameFrame compares two entries of pagemap: the frame, or the place in swap.
func sameFrame(a, b uint64) bool {
	const kind = pmPresent | pmSwapped
	return a&kind != 0 && a&kind == b&kind && a&pmFrame != 0 && a&pmFrame == b&pmFrame
}

// readEntries reads one pagemap entry for every page from at on.
func readEntries(fd int, at uint64, into []uint64) error {
	p := words(into)
	off := int64(at / pageSize * 8)
	for len(p) > 0 {
		n, err := unix.Pread(fd, p, off)
		if err != nil {
			return err
		}
		if n == 0 {
			return unix.EFAULT
		}
		p, off = p[n:], off+int64(n)
	}
	return nil
}
