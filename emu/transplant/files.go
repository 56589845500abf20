// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// fileKey says which mappings can be made from one descriptor.
type fileKey struct {
	dev      string
	inode    uint64
	name     string
	writable bool
	odd      bool // every other one of a row of neighbours
}

func (b *build) fileKey(m *mapping) fileKey {
	return fileKey{m.dev, m.inode, m.name, m.wantsWritable(), b.rows[m.start].odd}
}

// wantsWritable reports whether m was made from a descriptor open for writing: only
// such a mapping is VM_SHARED ("sh"; kernel: do_mmap), though a seal on a memfd
// may keep it from ever becoming writable ("mw").
func (m *mapping) wantsWritable() bool { return m.shared && m.has("sh") }

// openMapped opens the file behind one of the caller's mappings: through
// map_files, which knows deleted files, memfds, shared anonymous memory and
// files without a path here; where that is forbidden (it wants
// CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN of the initial user namespace), by
// its path, if that still leads to the same inode, or by a descriptor that the
// caller has of it.
func openMapped(tid int, m *mapping) (int, error) {
	mode := unix.O_RDONLY
	if m.wantsWritable() {
		mode = unix.O_RDWR
	}
	link := procPath(tid, fmt.Sprintf("map_files/%x-%x", m.start, m.end))
	fd, err := unix.Open(link, mode|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err == unix.EPERM || err == unix.EACCES {
		if fd, err = openByPath(tid, m, mode); err != nil {
			fd, err = openByFD(tid, m, mode)
		}
	}
	switch {
	case err == nil:
		return fd, nil
	case err == unix.ENOENT && !alive(tid):
		return -1, procError(tid, "map_files", unix.ESRCH)
	}
	return -1, unsupported("the file behind the mapping at %#x (%s) cannot be opened: %v", m.start, m.name, err)
}

// openByPath opens m by its path, which counts from the operator's own root, and in another
// mount namespace from that one's: from the caller's, if it has not changed its root in there.
// A newline is shown as \012, as is what is written so.
func openByPath(tid int, m *mapping, mode int) (fd int, err error) {
	for _, root := range []string{"/", procPath(tid, "root")} {
		for _, name := range []string{strings.ReplaceAll(m.name, `\012`, "\n"), m.name} {
			if fd, err = openSame(path.Join(root, name), m, mode); err == nil {
				return fd, nil
			}
		}
	}
	return -1, err
}

// openSame opens a file if it is the mapped inode. Another one is not opened, which it may mind.
func openSame(file string, m *mapping, mode int) (int, error) {
	at, err := unix.Open(file, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	defer unix.Close(at)
	var st unix.Stat_t
	if err := unix.Fstat(at, &st); err != nil || !m.of(&st) {
		return -1, unix.ESTALE
	}
	return unix.Open("/proc/self/fd/"+strconv.Itoa(at), mode|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
}

// of reports whether st is of the mapped inode.
func (m *mapping) of(st *unix.Stat_t) bool { return st.Ino == m.inode && devName(st.Dev) == m.dev }

// openByFD opens anew what one of the caller's descriptors stands for.
func openByFD(tid int, m *mapping, mode int) (int, error) {
	fds, err := listFDs(tid)
	if err != nil {
		return -1, err
	}
	for _, fd := range fds {
		var st unix.Stat_t
		link := procPath(tid, "fd/"+strconv.Itoa(fd))
		if unix.Stat(link, &st) == nil && m.of(&st) {
			if fd, err := unix.Open(link, mode|unix.O_CLOEXEC|unix.O_NONBLOCK, 0); err == nil {
				return fd, nil
			}
		}
	}
	return -1, unix.ENOENT
}

// devName is a device's number as /proc/PID/maps prints it.
func devName(dev uint64) string {
	hex := func(n uint32) string {
		if n < 16 {
			return "0" + strconv.FormatUint(uint64(n), 16)
		}
		return strconv.FormatUint(uint64(n), 16)
	}
	return hex(unix.Major(dev)) + ":" + hex(unix.Minor(dev))
}
