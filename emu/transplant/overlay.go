// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"errors"

	"golang.org/x/sys/unix"
)

// A file of an overlay's lower layer is copied to the upper one when somebody opens it to write
// (fs/overlayfs/copy_up.c). Who has mapped it before keeps the lower file, as a forked child does;
// whoever opens it from then on, by /proc/PID/map_files too, has the copy. Its numbers are the same,
// so that only the memory tells the two apart.

// checkOverlay refuses mappings of which the opened file is such a copy, with other contents. What
// was opened to be written was the copy from the start.
func (b *build) checkOverlay(m *mapping, fd int) error {
	if m.wantsWritable() {
		return nil
	}
	differs, err := b.copiedUp(m, fd)
	if err == nil && differs {
		err = unsupported("the file behind the mapping at %#x (%s) is on an overlay, which has copied it since", m.start, m.name)
	}
	return err
}

// onOverlay reports whether the file is on an overlay.
func onOverlay(fd int) bool {
	var st unix.Statfs_t
	return unix.Fstatfs(fd, &st) == nil && st.Type == unix.OVERLAYFS_SUPER_MAGIC
}

// copiedUp compares pages of the file that the caller has in its memory. One frame in both places
// is one file; frames that are not shown, or not there at the moment, tell nothing, and bytes do.
func (b *build) copiedUp(m *mapping, fd int) (bool, error) {
	there, frame, err := b.filePages(m)
	if err == nil && len(there) == 0 {
		_ = b.snap.caller.Read(uintptr(m.start), make([]byte, 1)) // which brings it there, if it can be had
		there, frame, err = b.filePages(m)
	}
	if err != nil || len(there) == 0 {
		return false, err
	}
	if frame != 0 && frame == ownFrame(fd, m.offset+there[0].start-m.start) {
		return false, nil
	}
	return b.bytesDiffer(m, fd, there)
}

// filePages are the pages of the file's that the caller has at the moment, and the first one's frame.
func (b *build) filePages(m *mapping) (there []span, frame uint64, err error) {
	fd, err := openProc(b.snap.caller.TID, "pagemap", unix.O_RDONLY)
	if err != nil {
		return nil, 0, err
	}
	defer unix.Close(fd)
	err = eachEntry(fd, m.start, m.end, func(at, entry uint64) {
		if entry&pmPresent == 0 || entry&pmFile == 0 {
			return
		}
		if there == nil {
			frame = entry & pmFrame
		}
		there = appendSpan(there, at, at+pageSize)
	})
	return there, frame, err
}

// ownFrame is the frame of a page of the file, 0 if it is not shown.
func ownFrame(fd int, offset uint64) uint64 {
	p, err := unix.Mmap(fd, int64(offset), pageSize, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return 0
	}
	defer func() { _ = unix.Munmap(p) }()
	if unix.Madvise(p, unix.MADV_POPULATE_READ) != nil {
		return 0 // behind the end, or before Linux 5.14
	}
	ours, err := unix.Open("/proc/self/pagemap", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0
	}
	defer unix.Close(ours)
	entry := make([]uint64, 1)
	if readEntries(ours, uint64(addressOf(&p[0])), entry) != nil || entry[0]&pmPresent == 0 {
		return 0
	}
	return entry[0] & pmFrame
}

// bytesDiffer compares the caller's pages with the file, one by one. Others may write to it
// between the two looks, where it is the one that the caller has.
func (b *build) bytesDiffer(m *mapping, fd int, pages []span) (bool, error) {
	const looks = 3
	for _, s := range pages {
		for at := s.start; at < s.end; at += pageSize {
			differs := true
			for range looks {
				var err error
				if differs, err = b.pageDiffers(m, fd, at); err != nil {
					return false, err
				}
				if !differs {
					break
				}
			}
			if differs {
				return true, nil
			}
		}
	}
	return false, nil
}

// pageDiffers compares one. Behind the end of the file there are zeroes.
func (b *build) pageDiffers(m *mapping, fd int, at uint64) (bool, error) {
	var has, is [pageSize]byte
	if _, err := unix.Pread(fd, is[:], int64(m.offset+at-m.start)); err != nil {
		return false, err
	}
	if err := b.snap.caller.Read(uintptr(at), has[:]); errors.Is(err, unix.EIO) || errors.Is(err, unix.EFAULT) {
		return false, nil // truncated since
	} else if err != nil {
		return false, err
	}
	return has != is, nil
}
