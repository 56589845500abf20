// SPDX-License-Identifier: Apache-2.0

package main

import "golang.org/x/sys/unix"

// What interp/interp.h calls MEM and MEM_PAGES.
const (
	memory      = 0x130000
	memoryPages = 8
	pageSize    = 4096
)

// pages draws a range of pages: where it begins, and its length.
func (d *drawer) pages() (at string, length int) {
	first := d.IntN(memoryPages)
	if d.chance(60) {
		first /= 2 // where there are some from the start
	}
	n := 1 + d.IntN(min(4, memoryPages-first))
	return hex(uint32(memory + first*pageSize)), n * pageSize
}

// memory draws what becomes of the mappings that programs play with.
func (d *drawer) memory() {
	actor := d.anyone()
	at, length := d.pages()
	switch d.IntN(12) {
	case 0, 1:
		d.mmap(actor, at, length)
	case 2:
		d.add("munmap", actor, at, length)
	case 3:
		d.add("mprotect", actor, at, length, pick(d, 0, 1, 3, 5, 7))
	case 9:
		d.add("shm", actor, pick(d, 0, 0, 0, 1, 2), d.IntN(memoryPages-1), pick(d, "040000", "050000"))
	case 10:
		d.add("brk", actor, pick(d, 1, 3, -1))
	case 4:
		d.add("madvise", actor, at, length, pick(d, unix.MADV_DONTFORK, unix.MADV_WIPEONFORK, unix.MADV_DOFORK,
			unix.MADV_KEEPONFORK, unix.MADV_DONTNEED, unix.MADV_DONTDUMP, unix.MADV_RANDOM, unix.MADV_SEQUENTIAL, unix.MADV_REMOVE))
	case 5:
		d.add("mlock", actor, at, length, d.IntN(2))
	case 6:
		// Of one mapping, and to another place: since 6.17 a move may do more.
		if to, _ := d.pages(); to != at {
			d.add("mremap", actor, at, pageSize, pageSize, 3, to)
		}
	default:
		d.add("poke", actor, d.IntN(memoryPages)/(1+d.IntN(2)), 1+d.IntN(99))
	}
}

// mmap draws a mapping, of a descriptor that may be a file or of none.
func (d *drawer) mmap(actor int, at string, length int) {
	flags := pick(d, unix.MAP_PRIVATE, unix.MAP_PRIVATE, unix.MAP_SHARED)
	fd, offset := -1, 0
	prot := pick(d, 0, 1, 3, 3, 3, 7)
	if d.chance(50) {
		fd, offset = d.open(actor), d.IntN(4)*pageSize
		prot &= 3 // what may be code of what cannot be mapped is EPERM or ENODEV, by kernel
	} else {
		flags |= unix.MAP_ANONYMOUS
	}
	if d.chance(20) {
		flags |= pick(d, unix.MAP_NORESERVE, unix.MAP_LOCKED, unix.MAP_GROWSDOWN)
	}
	d.add("mmap", actor, at, length, prot, hex(uint32(flags|unix.MAP_FIXED)), fd, offset)
}
