// SPDX-License-Identifier: Apache-2.0

package check

import (
	"errors"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/kcmp"
	"cloneat-emu/emu/proc"
)

// sharing lists the flags that ask for a resource of the target's, with what
// kcmp(2) calls it. Caller and target must have it in common already, since the
// child can have but one.
//
// Some of them also keep caller and child in one namespace of a kind: sharing a
// root would move the caller's own into the target's mount namespace, a list of
// semaphore undos holds ids of one IPC namespace, and an mm has one vvar page.
var sharing = []struct {
	flag  uint64
	kind  kcmp.Kind
	name  string
	bound proc.Kind // empty: to none
}{
	{unix.CLONE_VM, kcmp.VM, "CLONE_VM", proc.Time},
	{unix.CLONE_FS, kcmp.FS, "CLONE_FS", proc.Mnt},
	{unix.CLONE_FILES, kcmp.Files, "CLONE_FILES", ""},
	{unix.CLONE_SIGHAND, kcmp.Sighand, "CLONE_SIGHAND", ""},
	{unix.CLONE_SYSVSEM, kcmp.SysVSem, "CLONE_SYSVSEM", proc.IPC},
	{unix.CLONE_IO, kcmp.IO, "CLONE_IO", ""},
}

// mayShare is row 11: what cannot be had of another target. All of it is EINVAL,
// so the order within is free. A thread that exits gives up one resource after the
// other (do_exit() in kernel/exit.c), but is no target thread any more: row 10 again.
func mayShare(c *Call) unix.Errno {
	if c.Target.Self {
		return 0
	}
	errno := c.threadShares()
	for errno == unix.EINVAL && c.threadExits() {
		c.Target.Thread.Close()
		c.Target.Thread = nil
		if errno = hasLiveThread(c); errno == 0 {
			errno = c.threadShares()
		}
	}
	return errno
}

// StillShares reports whether row 11 passes once more, for the same thread. It may have left what
// it shared with the caller, by unshare(2) or execve(2).
func (c *Call) StillShares() bool { return c.threadShares() == 0 }

// threadExits reports whether the target thread has begun to exit since row 10.
func (c *Call) threadExits() bool {
	if c.Target.Thread == nil {
		return false
	}
	stat, err := c.Target.Thread.Stat()
	return err != nil || stat.Exiting()
}

func (c *Call) threadShares() unix.Errno {
	a := c.Args
	switch {
	case a.Has(unix.CLONE_THREAD | unix.CLONE_PARENT | unix.CLONE_NEWUSER):
		return c.fail(unix.EINVAL, "CLONE_THREAD, CLONE_PARENT or CLONE_NEWUSER with another target")
	case a.ExitSignal != int(unix.SIGCHLD):
		return c.fail(unix.EINVAL, "exit signal %d, not SIGCHLD, to another target", a.ExitSignal)
	}
	for _, s := range sharing {
		if !a.Has(s.flag) {
			continue
		}
		if errno := c.shares(s.kind, s.name); errno != 0 {
			return errno
		}
		if errno := c.sameNamespace(s.bound, s.name); errno != 0 {
			return errno
		}
	}
	return 0
}

// shares compares one resource of the two threads. Numbers are what kcmp(2)
// takes, so it is asked afterwards whether the target's was still its own.
func (c *Call) shares(kind kcmp.Kind, flag string) unix.Errno {
	same, err := kcmp.Same(c.Caller.TID, c.Target.TID, kind)
	switch {
	case errors.Is(err, unix.ESRCH) || !c.Target.Thread.Alive():
		return c.fail(unix.ESRCH, "thread %d has gone", c.Target.TID)
	case err != nil: // few kernels have no CONFIG_KCMP, fewer no CONFIG_SYSVIPC
		return c.unexpected(err)
	case !same:
		return c.fail(unix.EINVAL, "%s, but threads %d and %d do not share it", flag, c.Caller.TID, c.Target.TID)
	}
	return 0
}

// sameNamespace refuses a flag that is bound to a kind of namespace.
func (c *Call) sameNamespace(kind proc.Kind, flag string) unix.Errno {
	if kind == "" {
		return 0
	}
	kinds, err := differing(c.Caller.Thread, c.Target.Thread, []proc.Kind{kind})
	if err != nil {
		return c.unexpected(err)
	}
	if len(kinds) != 0 {
		return c.fail(unix.EINVAL, "%s between %s namespaces", flag, kind)
	}
	return 0
}
