// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/transplant"
	"cloneat-emu/ptrace"
)

// targetRoot gives a child that joined another mount namespace the target's
// root, as root and cwd: setns(2) gives the namespace's, which is not the same
// where the target called chroot(2). In the same mount namespace the child has
// the caller's already.
func (c *call) targetRoot(child *ptrace.Injection) error {
	if c.kinds()&unix.CLONE_NEWNS == 0 {
		return nil
	}
	same, err := sameRoot(c.root, child.TID)
	if err != nil || same {
		return err
	}
	pidfd, err := unix.PidfdOpen(child.TID, 0)
	if err != nil {
		return err
	}
	defer unix.Close(pidfd)
	return transplant.Chroot(child, pidfd, c.root)
}

// openRoot keeps the target's root open.
func (c *call) openRoot() (err error) {
	c.closeRoot()
	c.root, err = openRoot(c.check.Target.TID)
	return err
}

func (c *call) closeRoot() {
	c.root.Close() //nolint:errcheck // nil is fine
	c.root = nil
}

func openRoot(tid int) (*os.File, error) {
	return os.OpenFile("/proc/"+strconv.Itoa(tid)+"/root", unix.O_PATH|unix.O_DIRECTORY, 0)
}

// sameRoot compares mount and inode: statx(2) tells both.
func sameRoot(root *os.File, tid int) (bool, error) {
	own, err := openRoot(tid)
	if err != nil {
		return false, err
	}
	defer own.Close()
	var a, b unix.Statx_t
	const mask = unix.STATX_INO | unix.STATX_MNT_ID
	const how = unix.AT_EMPTY_PATH | unix.AT_STATX_DONT_SYNC // the server of a file system may hang
	if err := unix.Statx(int(root.Fd()), "", how, mask, &a); err != nil {
		return false, err
	}
	if err := unix.Statx(int(own.Fd()), "", how, mask, &b); err != nil {
		return false, err
	}
	return a.Ino == b.Ino && a.Mnt_id == b.Mnt_id && a.Dev_major == b.Dev_major && a.Dev_minor == b.Dev_minor, nil
}
