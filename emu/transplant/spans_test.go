// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// spansOver draws sorted, disjoint spans of whole pages below 64.
func spansOver(t *rapid.T, name string) []span {
	var out []span
	for i, in := range rapid.SliceOfN(rapid.Bool(), 64, 64).Draw(t, name) {
		if in {
			out = appendSpan(out, uint64(i), uint64(i)+1)
		}
	}
	return out
}

func holds(spans []span, at uint64) bool {
	return slices.ContainsFunc(spans, func(s span) bool { return s.start <= at && at < s.end })
}

// TestSpans holds the operations on spans against their meaning, page by page.
func TestSpans(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := spansOver(t, "a"), spansOver(t, "b")
		lo := rapid.Uint64Range(0, 63).Draw(t, "lo")
		hi := rapid.Uint64Range(lo, 64).Draw(t, "hi")
		rest, cut, holes := subtract(a, b), within(a, lo, hi), gaps(slices.Clone(a), userTop)
		for at := range uint64(64) {
			if got, want := holds(rest, at), holds(a, at) && !holds(b, at); got != want {
				t.Fatalf("subtract(%v, %v) = %v: wrong at %d", a, b, rest, at)
			}
			if got, want := holds(cut, at), holds(a, at) && lo <= at && at < hi; got != want {
				t.Fatalf("within(%v, %d, %d) = %v: wrong at %d", a, lo, hi, cut, at)
			}
			if holds(holes, at) == holds(a, at) {
				t.Fatalf("gaps(%v) = %v: wrong at %d", a, holes, at)
			}
		}
	})
}

// TestFreeSpanIsFree: the stage lies in nobody's way.
func TestFreeSpanIsFree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var maps []mapping
		at := uint64(0)
		for _, gap := range rapid.SliceOfN(rapid.Uint64Range(0, 1<<34), 0, 20).Draw(t, "gaps") {
			at += gap &^ 0xfff
			maps = append(maps, mapping{start: at, end: at + 1<<20})
			at += 1 << 20
		}
		got, ok := freeSpan(scriptSize, maps[:len(maps)/2], maps[len(maps)/2:])
		if !ok {
			t.Fatal("no room found in an almost empty address space")
		}
		for _, m := range maps {
			if got < m.end && m.start < got+scriptSize {
				t.Fatalf("%#x meets %#x-%#x", got, m.start, m.end)
			}
		}
	})
}

// TestParseSmaps: names with spaces, hugetlb's page size, flags.
func TestParseSmaps(t *testing.T) {
	const text = `00400000-0040b000 r-xp 00001000 08:01 123                        /a b (deleted)
Size:                 44 kB
KernelPageSize:     2048 kB
Anonymous:            12 kB
AnonHugePages:         4 kB
Swap:                  8 kB
SwapPss:               8 kB
ProtectionKey:         3
VmFlags: rd ex mr mw me ac 
7ffe0000-7ffe1000 rw-s 00000000 00:00 0 
KernelPageSize:        4 kB
VmFlags: rd wr sh 
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
VmFlags: ex 
`
	want := []mapping{
		{
			start: 0x400000, end: 0x40b000, prot: 5, offset: 0x1000, dev: "08:01", inode: 123,
			name: "/a b (deleted)", pageSize: 2 << 20, pkey: 3, flags: "rd ex mr mw me ac", alone: 20,
		},
		{start: 0x7ffe0000, end: 0x7ffe1000, prot: 3, shared: true, dev: "00:00", pageSize: 4096, flags: "rd wr sh"},
	}
	if d := cmp.Diff(want, parseSmaps([]byte(text)), cmp.AllowUnexported(mapping{})); d != "" {
		t.Error(d)
	}
}

// TestLacks: what an exec can give, what nothing can, what needs no help.
func TestLacks(t *testing.T) {
	root := credentials{caps: capSets{permitted: ^uint64(0), effective: ^uint64(0), bounding: ^uint64(0)}}
	user := credentials{uid: [4]uint32{1, 1, 1, 1}, caps: capSets{bounding: ^uint64(0)}}
	bound, locked, nnp, rootNNP := user, root, user, root
	bound.caps.bounding, locked.secureBits, nnp.noNewPrivs, rootNNP.noNewPrivs = 1, 3, true, true
	unbound, child, heir := root, user, user // a capability outside its bounding set; below it
	unbound.caps.bounding, child.caps.bounding, heir.caps.bounding = ^uint64(2), ^uint64(2), ^uint64(2)
	heir.caps.inheritable = 2
	for _, c := range []struct {
		name        string
		have, want  credentials
		lack, final bool
	}{
		{"equal", user, user, false, false},
		{"root becomes a user", root, user, false, false},
		{"a user becomes root", user, root, true, false},
		{"a smaller bounding set", bound, user, true, true},
		{"locked securebits", locked, root, true, true},
		{"no_new_privs", nnp, user, true, true},
		{"a user becomes root, both with no_new_privs", nnp, rootNNP, true, true},
		{"a capability outside both bounding sets", child, unbound, true, true},
		{"one that is inheritable", heir, unbound, true, false},
		{"root becomes a user, both with no_new_privs", rootNNP, nnp, false, false},
	} {
		what, forever := c.have.lacks(&c.want)
		if (what != "") != c.lack || forever != c.final {
			t.Errorf("%s: %q, forever %v", c.name, what, forever)
		}
	}
}

// TestReservationIsNotRead: an entry for each page of a reservation of terabytes takes
// minutes to read.
func TestReservationIsNotRead(t *testing.T) {
	const unread = -1 // reading fails
	for _, tt := range []struct {
		name string
		m    mapping
		read bool
	}{
		{"reservation", mapping{end: 1 << 46}, false},
		{"pages", mapping{end: 1 << 20, alone: 4}, true},
		{"huge pages, which are not counted", mapping{end: 1 << 21, flags: "rd wr ht"}, true},
	} {
		if _, err := readPages(unread, []mapping{tt.m}); (err != nil) != tt.read {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
