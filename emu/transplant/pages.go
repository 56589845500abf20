// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Categories of PAGEMAP_SCAN (<linux/fs.h>, PAGE_IS_*).
const (
	pageFile    = 1 << 2
	pagePresent = 1 << 3
	pageSwapped = 1 << 4
	pageZero    = 1 << 5
	pageGuard   = 1 << 8
)

// Bits of an entry of /proc/PID/pagemap.
const (
	pmFrame   = 1<<55 - 1
	pmFile    = 1 << 61
	pmSwapped = 1 << 62
	pmPresent = 1 << 63
)

const pageSize = 4096

// pages are ranges of a process's memory that exist there and nowhere else.
type pages struct {
	private []span // anonymous pages, copies of a private file's included
	guards  []span // guard regions (MADV_GUARD_INSTALL)
}

// privatePages finds the pages that exist in thread tid's memory alone,
// present or swapped out. Everything else comes back by itself: from the file,
// or as zeroes.
func privatePages(tid int, maps []mapping) (pages, error) {
	fd, err := openProc(tid, "pagemap", unix.O_RDONLY)
	if err != nil {
		return pages{}, err
	}
	defer unix.Close(fd)
	p, err := scanPages(fd, topOf(maps), pageGuard)
	if errors.Is(err, unix.EINVAL) { // before Linux 6.15
		p, err = scanPages(fd, topOf(maps), 0)
	}
	if errors.Is(err, unix.ENOTTY) || errors.Is(err, unix.EINVAL) { // before Linux 6.7
		p.private, err = readPages(fd, maps)
	}
	return p, err
}

// scanPages asks the kernel for the ranges; it is several times faster than
// reading an entry for every page. It is asked for those up to end, and more is what else to
// tell ranges apart by.
func scanPages(fd int, end, more uint64) (p pages, err error) {
	arg := scanArg{
		end:               end,
		categoryInverted:  pageFile | pageZero,
		categoryMask:      pageFile | pageZero,
		categoryAnyOfMask: pagePresent | pageSwapped,
		returnMask:        pagePresent | pageSwapped | more,
	}
	vec := make([]pageRegion, 1024)
	for arg.start < arg.end {
		n, err := scan(fd, &arg, vec)
		if err != nil {
			return p, err
		}
		for _, r := range vec[:n] {
			if r.categories&pageGuard != 0 {
				p.guards = appendSpan(p.guards, r.start, r.end)
			} else {
				p.private = appendSpan(p.private, r.start, r.end)
			}
		}
		arg.start = arg.walkEnd
	}
	return p, nil
}

// appendSpan adds a range, joined to the last one where they touch.
func appendSpan(spans []span, start, end uint64) []span {
	if n := len(spans); n > 0 && spans[n-1].end == start {
		spans[n-1].end = end
		return spans
	}
	return append(spans, span{start, end})
}

// readPages reads an entry for every page, some seconds for a terabyte: not where smaps says that
// there are none, as in what is only reserved.
func readPages(fd int, maps []mapping) ([]span, error) {
	var spans []span
	for i := range maps {
		m := &maps[i]
		if m.shared || m.vdso() || m.alone == 0 && !m.has("ht") {
			continue
		}
		err := eachEntry(fd, m.start, m.end, func(at uint64, entry uint64) {
			if entry&(pmPresent|pmSwapped) != 0 && entry&pmFile == 0 {
				spans = appendSpan(spans, at, at+pageSize)
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return spans, nil
}

// eachEntry calls do for the pagemap entry of every page from start to end.
func eachEntry(fd int, start, end uint64, do func(at, entry uint64)) error {
	buf := make([]uint64, min(32<<10, (end-start)/pageSize))
	for at := start; at < end; {
		part := buf[:min(uint64(len(buf)), (end-at)/pageSize)]
		if err := readEntries(fd, at, part); err != nil {
			return err
		}
		for _, entry := range part {
			do(at, entry)
			at += pageSize
		}
	}
	return nil
}

// within cuts the sorted spans to what lies in [start, end).
func within(spans []span, start, end uint64) []span {
	lo, hi := 0, len(spans)
	for lo < hi {
		if mid := (lo + hi) / 2; spans[mid].end <= start {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	var out []span
	for _, s := range spans[lo:] {
		if s.start >= end {
			break
		}
		out = append(out, span{max(s.start, start), min(s.end, end)})
	}
	return out
}
