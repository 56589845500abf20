// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"slices"

	"golang.org/x/sys/unix"
)

// stageSize is the size of the stage: the script's area, and behind it room to put the vdso
// aside.
func (b *build) stageSize() uint64 {
	size := uint64(scriptSize)
	for _, m := range vdsoMaps(b.maps) {
		size += m.size()
	}
	return size
}

// stagePlace finds room for the stage. It has to be free in the caller, too, since there are
// the caller's mappings in C while it is still there.
func (b *build) stagePlace(maps []mapping) (uint64, error) {
	size := b.stageSize()
	at, ok := freeSpan(size, maps, b.snap.maps)
	switch {
	case ok:
		return at, nil
	case b.opt.keepsMemory():
		return 0, unsupported("caller and target leave no %d bytes of address space free in one place", size)
	}
	return b.makeRoom(size)
}

// makeRoom unmaps what C has only reserved, where there is nothing in the caller. C is not to have
// it, and does not miss it meanwhile.
func (b *build) makeRoom(size uint64) (uint64, error) {
	at, ok := freeSpan(size, slices.DeleteFunc(slices.Clone(b.maps), reserved), b.snap.maps)
	if !ok {
		return 0, unsupported("caller and target leave no %d bytes of address space free in one place", size)
	}
	if _, err := b.inj.Call(unix.SYS_MUNMAP, uintptr(at), uintptr(size)); err != nil {
		return 0, err
	}
	maps, err := readMaps(b.c.TID)
	b.maps = maps
	return at, err
}

// reserved reports whether m is nothing but reserved addresses.
func reserved(m mapping) bool {
	return m.prot == unix.PROT_NONE && !m.shared && m.anonymous() && !m.vdso() && !m.has("sl")
}
