// SPDX-License-Identifier: Apache-2.0

package enter

import (
	"golang.org/x/sys/unix"

	"cloneat-emu/cmd/cloneat-emu/stage"
)

// numbers are the descriptors of a stage that a process uses on its way in.
type numbers struct{ pidfd, root, cwd, running, hand int }

// become turns a process that was born in the target's pid namespace into what
// execs the command: namespaces, terminal, root, directory, user, rights.
func (r *run) become(task *stage.Task, host int, flags uintptr) error {
	s := &steps{task: task}
	if r.o.TargetCgroup {
		s.do(func() error { return moveToCgroups(host, r.t.dir) })
	}
	if flags&unix.CLONE_NEWUSER != 0 && r.rights.user != nil {
		s.do(func() error { return r.leaveGroups(task) })
	}
	if flags != 0 && !r.inside {
		s.call("setns(namespaces of the target)", unix.SYS_SETNS, uintptr(r.fd.pidfd), flags)
	}
	if r.o.TTY {
		s.call("setsid", unix.SYS_SETSID)
		s.call("ioctl(TIOCSCTTY)", unix.SYS_IOCTL, 0, unix.TIOCSCTTY, 0)
	}
	if r.chroot(flags) {
		s.call("fchdir(root of the target)", unix.SYS_FCHDIR, uintptr(r.fd.root))
		s.call("chroot(root of the target)", unix.SYS_CHROOT, s.str("."))
	}
	s.call("fchdir(directory of the target)", unix.SYS_FCHDIR, uintptr(r.fd.cwd))
	if r.o.Workdir != "" {
		s.call("chdir("+r.o.Workdir+")", unix.SYS_CHDIR, s.str(r.o.Workdir))
	}
	r.rights.apply(s, r.joinsUsers() && r.groupsFixed())
	s.do(func() error { return r.table.seal(task) })
	if r.mask != 0 {
		s.call("rt_sigprocmask", unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, r.mask, 0, 8)
	}
	return s.err
}

// chroot reports whether the target's root has to be taken. setns(2) leads to the
// root of the mounts, not to the target's; cloneat does where mounts differ.
func (r *run) chroot(joined uintptr) bool {
	if joined&unix.CLONE_NEWNS != 0 {
		return true
	}
	return r.t.differ&unix.CLONE_NEWNS == 0 && !r.t.rootIsOurs
}
