// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
)

// setPlace gives C its root, working directory and umask: the caller's, or
// where the child lives in another mount namespace than the caller, the
// target's root for both (a directory outside the new namespace would be an
// escape hatch).
func (b *build) setPlace() error {
	if b.opt.ShareFS {
		return nil
	}
	b.script.add("umask", 0, unix.SYS_UMASK, uintptr(b.snap.status.Umask))
	dirs, err := b.entered()
	switch {
	case err != nil || len(dirs) == 0:
		return err
	case !b.sameMount:
		b.script.room(1, 2)
		b.script.add("chdir", 0, unix.SYS_CHDIR, b.script.text("/"))
		return nil
	}
	return b.goInto(dirs)
}

// goInto gives C the last of these as its working directory, and the one before, if there
// is one, as its root.
func (b *build) goInto(dirs []directory) error {
	var fds []int
	defer func() {
		for _, fd := range fds {
			unix.Close(fd)
		}
	}()
	for _, d := range dirs {
		fd, err := openProc(d.tid, d.what, unix.O_PATH|unix.O_DIRECTORY)
		if err != nil {
			return err
		}
		fds = append(fds, fd)
	}
	there, err := b.ch.send(fds)
	if err != nil {
		return err
	}
	for i, fd := range there {
		b.script.add("fchdir", uint64(fd), unix.SYS_FCHDIR, uintptr(fd))
		if i < len(there)-1 {
			b.script.room(1, 2)
			b.script.add("chroot", 0, unix.SYS_CHROOT, b.script.text("."))
		}
		b.ch.drop(fd)
	}
	return nil
}

// A directory is the root or cwd of a thread.
type directory struct {
	tid  int
	what string
}

func (d directory) path() string { return procPath(d.tid, d.what) }

// entered are the directories that C is to enter. What is C's already is none of them: a
// process may have a working directory that it could not enter.
func (b *build) entered() ([]directory, error) {
	if !b.sameMount {
		if there, err := b.atRoot(); err != nil || there {
			return nil, err
		}
		return []directory{{b.c.TID, "root"}}, nil
	}
	sameRoot, err := b.sameRoot()
	if err != nil {
		return nil, err
	}
	sameCwd, err := b.samePlace("cwd")
	root, cwd := directory{b.snap.caller.TID, "root"}, directory{b.snap.caller.TID, "cwd"}
	switch {
	case err != nil || sameRoot && sameCwd:
		return nil, err
	case sameRoot:
		return []directory{cwd}, nil
	}
	return []directory{root, cwd}, nil
}

// atRoot reports whether C's working directory is its root.
func (b *build) atRoot() (bool, error) {
	root, err := placeOf(procPath(b.c.TID, "root"))
	if err != nil {
		return false, err
	}
	cwd, err := placeOf(procPath(b.c.TID, "cwd"))
	return root == cwd, err
}

func (b *build) sameRoot() (bool, error) { return b.samePlace("root") }

// samePlace compares mount and directory of the caller's and C's root or cwd.
func (b *build) samePlace(what string) (bool, error) {
	a, err := placeOf(procPath(b.snap.caller.TID, what))
	if err != nil {
		return false, err
	}
	c, err := placeOf(procPath(b.c.TID, what))
	return a == c, err
}

type placeID struct {
	mount, inode uint64
	major, minor uint32
}

func placeOf(path string) (placeID, error) {
	st, err := known(path, unix.STATX_INO|unix.STATX_MNT_ID)
	return placeID{st.Mnt_id, st.Ino, st.Dev_major, st.Dev_minor}, err
}

// known is what the kernel knows of a file, which a fork goes by. The server of its file system is
// not asked: it may be slow, or hang.
func known(path string, mask int) (st unix.Statx_t, err error) {
	err = unix.Statx(unix.AT_FDCWD, path, unix.AT_NO_AUTOMOUNT|unix.AT_STATX_DONT_SYNC, mask, &st)
	return st, err
}

// Group is the process group that a child of the caller's has to join, in its own numbers: the
// caller's at this moment. It is 0 where the child is born in it, or cannot join it because it
// is in another session, or has no number there: a documented difference.
func Group(caller, child int) (int, error) {
	want, err := unix.Getpgid(caller)
	if err != nil {
		return 0, nil // the caller ended: found out elsewhere
	}
	if have, err := unix.Getpgid(child); err != nil || want == have || !sameSession(caller, child) {
		return 0, nil
	}
	if same, err := sameNS(caller, child, proc.PID); err != nil || !same {
		return 0, err
	}
	st, err := readStatus(caller)
	if err != nil || len(st.NSpgid) == 0 {
		return 0, nil
	}
	return st.NSpgid[len(st.NSpgid)-1], nil
}

func sameSession(a, b int) bool {
	one, err := unix.Getsid(a)
	other, berr := unix.Getsid(b)
	return err == nil && berr == nil && one == other
}
