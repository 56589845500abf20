package check

import (
	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
)

// sharing lists the flags that ask for a resource of the target's, with what
// kcmp(2) calls it. Caller and target must have it in common already, since the
// child can have but one.
var sharing = []struct {
	flag uint64
	kind int
	name string
}{
	{unix.CLONE_VM, kcmpVM, "CLONE_VM"},
	{unix.CLONE_FS, kcmpFS, "CLONE_FS"},
	{unix.CLONE_FILES, kcmpFiles, "CLONE_FILES"},
	{unix.CLONE_SIGHAND, kcmpSighand, "CLONE_SIGHAND"},
	{unix.CLONE_SYSVSEM, kcmpSysvsem, "CLONE_SYSVSEM"},
	{unix.CLONE_IO, kcmpIO, "CLONE_IO"},
}

// mayShare is row 11: what cannot be had of another target. All of it is EINVAL,
// so the order within is free.
func mayShare(c *Call) unix.Errno {
	a := c.Args
	switch {
	case c.Target.Self:
		return 0
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
	}
	if a.Has(unix.CLONE_VM) {
		return c.sameTime()
	}
	return 0
}

// shares compares one resource of the two threads. Numbers are what kcmp(2)
// takes, so it is asked afterwards whether the target's was still its own.
func (c *Call) shares(kind int, flag string) unix.Errno {
	same, errno := kcmp(c.Caller.TID, c.Target.TID, kind)
	switch {
	case errno == unix.ESRCH || !c.Target.Thread.Alive():
		return c.fail(unix.ESRCH, "thread %d has gone", c.Target.TID)
	case errno == unix.EPERM:
		return c.fail(unix.EPERM, "kcmp %d %d: %v", c.Caller.TID, c.Target.TID, errno)
	case errno != 0: // few kernels have no CONFIG_KCMP, fewer no CONFIG_SYSVIPC
		return c.fail(unix.EOPNOTSUPP, "kcmp %d %d: %v", c.Caller.TID, c.Target.TID, errno)
	case !same:
		return c.fail(unix.EINVAL, "%s, but threads %d and %d do not share it", flag, c.Caller.TID, c.Target.TID)
	}
	return 0
}

// sameTime refuses CLONE_VM between time namespaces: an mm has one vvar page.
func (c *Call) sameTime() unix.Errno {
	kinds, err := differing(c.Caller.Thread, c.Target.Thread, []proc.Kind{proc.Time})
	if err != nil {
		return c.unexpected(err)
	}
	if len(kinds) != 0 {
		return c.fail(unix.EINVAL, "CLONE_VM between time namespaces")
	}
	return 0
}
