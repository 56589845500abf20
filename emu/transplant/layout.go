// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"cmp"
	"slices"
)

// userTop is the end of what a 64-bit process can map with four page table
// levels: where the kernel puts what nobody asks it to put elsewhere.
const userTop = 0x7ffffffff000

// span is a range of addresses.
type span struct{ start, end uint64 }

// freeSpan finds size bytes that are in none of the lists: far from any neighbour and above
// what a 32-bit process can have, if there is such a place. A stack's guard gap is 1 MiB, and
// what lies there only keeps it from growing.
func freeSpan(size uint64, lists ...[]mapping) (uint64, bool) {
	var used []span
	for _, l := range lists {
		for i := range l {
			used = append(used, span{l[i].start, l[i].end})
		}
	}
	slices.SortFunc(used, func(a, b span) int { return cmp.Compare(a.start, b.start) })
	const lowest = 1 << 20 // vm.mmap_min_addr is below
	for _, w := range []struct{ from, margin uint64 }{{1 << 32, 16 << 20}, {lowest, 1 << 20}, {lowest, 0}} {
		if at, ok := freeFrom(w.from, w.margin, size, used); ok {
			return at, true
		}
	}
	return 0, false
}

// freeFrom is the lowest place with that margin on both sides, in none of the sorted spans.
func freeFrom(at, margin, size uint64, used []span) (uint64, bool) {
	for _, u := range used {
		if u.start >= at+size+2*margin {
			break
		}
		at = max(at, (u.end+0xfff)&^0xfff)
	}
	return at + margin, at+size+2*margin <= userTop
}

// topOf is the end of the highest mapping. Programs have some above userTop that ask for
// them, where there are five levels.
func topOf(maps []mapping) (top uint64) {
	if n := len(maps); n > 0 {
		top = maps[n-1].end
	}
	return top
}

// gaps returns what lies between the spans of keep, from 0 to top.
func gaps(keep []span, top uint64) []span {
	slices.SortFunc(keep, func(a, b span) int { return cmp.Compare(a.start, b.start) })
	var out []span
	at := uint64(0)
	for _, k := range keep {
		if k.start > at {
			out = append(out, span{at, k.start})
		}
		at = max(at, k.end)
	}
	if at < top {
		out = append(out, span{at, top})
	}
	return out
}
