// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"fmt"

	"golang.org/x/sys/unix"

	"cloneat-emu/ptrace"
)

// Pages of a private file, written by the caller, belong to the file all the same: whoever
// truncates it takes them from everybody who has it mapped (mm/memory.c, unmap_mapping_range()),
// a forked child as well. So they may go away while they are copied, in the caller or in C.

// filePage is a copy of some of them.
type filePage struct {
	span
	m   *mapping
	got ptrace.Result
}

func (p *filePage) whole() bool {
	return p.got.Errno == 0 && uint64(p.got.Value) == p.end-p.start
}

// copyFilePages brings them into C, and waits for it: what cannot be copied at once is tried page
// by page, and has to be gone.
func (b *build) copyFilePages(mem int, all []*filePage) error {
	if len(all) == 0 {
		return nil
	}
	pagemap, err := openProc(b.snap.caller.TID, "pagemap", unix.O_RDONLY)
	if err != nil {
		return err
	}
	defer unix.Close(pagemap)
	if err := b.tryFilePages(mem, all); err != nil {
		return err
	}
	var again []*filePage
	for _, p := range all {
		for at := p.start; !p.whole() && at < p.end; at += pageSize {
			again = append(again, &filePage{span: span{at, at + pageSize}, m: p.m})
		}
	}
	if err := b.tryFilePages(mem, again); err != nil {
		return err
	}
	for _, p := range again {
		if p.whole() {
			continue
		}
		if gone, err := b.gone(pagemap, p); err != nil || !gone {
			return fmt.Errorf("copy of memory %#x: %w", p.start, errorOr(err, p.got.Errno))
		}
	}
	return b.dropGone(pagemap, all)
}

func (b *build) tryFilePages(mem int, all []*filePage) error {
	for _, p := range all {
		b.script.ask(&p.got, "copy of memory", unix.SYS_PREAD64,
			uintptr(mem), uintptr(p.start), uintptr(p.end-p.start), uintptr(p.start))
	}
	return b.script.run()
}

// gone reports whether a page is behind the end of its file, or is the caller's no more. The end
// is looked at first: it grows again when the pages have been taken away.
func (b *build) gone(pagemap int, p *filePage) (bool, error) {
	m := p.m
	st, err := known(procPath(b.snap.caller.TID, fmt.Sprintf("map_files/%x-%x", m.start, m.end)), unix.STATX_SIZE)
	if err == nil && m.offset+p.start-m.start >= (st.Size+pageSize-1)&^(pageSize-1) {
		return true, nil
	}
	has, err := hasStill(pagemap, p)
	return len(has) == 0, err
}

// hasStill are those of p that the caller has.
func hasStill(pagemap int, p *filePage) (has []span, err error) {
	err = eachEntry(pagemap, p.start, p.end, func(at, entry uint64) {
		if entry&(pmPresent|pmSwapped) != 0 && entry&pmFile == 0 {
			has = appendSpan(has, at, at+pageSize)
		}
	})
	return has, err
}

// dropGone gives back what the caller has lost meanwhile: where the file has grown again, C has
// a copy of what is there now.
func (b *build) dropGone(pagemap int, all []*filePage) error {
	for _, p := range all {
		has, err := hasStill(pagemap, p)
		if err != nil {
			return err
		}
		for _, s := range subtract([]span{p.span}, has) {
			b.script.add("madvise(MADV_DONTNEED)", s.start, unix.SYS_MADVISE,
				uintptr(s.start), uintptr(s.end-s.start), unix.MADV_DONTNEED)
		}
	}
	return nil
}

// errorOr is err, or what the kernel said.
func errorOr(err error, errno unix.Errno) error {
	switch {
	case err != nil:
		return err
	case errno != 0:
		return errno
	}
	return unix.EIO
}
