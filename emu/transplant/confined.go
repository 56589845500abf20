// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"sync"

	"golang.org/x/sys/unix"

	"cloneat-emu/ptrace"
)

// Landlock's domains are inherited, cannot be left, and are shown nowhere. But
// a process may trace only those that are confined at least as it is (kernel:
// security/landlock/task.c, hook_ptrace_access_check). That the caller may
// trace the target was checked before; that C may trace the caller tells that
// C is not confined any further.

// landlock reports whether this kernel has it.
var landlock = sync.OnceValue(func() bool {
	const version = 1
	_, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, version)
	return errno == 0
})

// checkConfined refuses a child that Landlock confines more than its caller. C
// asks for a descriptor of the caller's that does not exist: EBADF comes after
// the access check, EPERM from it.
func (b *build) checkConfined() error {
	if !landlock() {
		return nil
	}
	want, have := credentialsOf(b.snap.status, b.snap.own), credentialsOf(b.status, b.own)
	// In another user namespace the capability does not reach a caller that executed
	// its program outside (mm->user_ns).
	ids, err := b.idMaps()
	if err != nil {
		return err
	}
	mighty := hasCap(have.caps.effective, unix.CAP_SYS_PTRACE) && ids.uid == nil
	if !mighty && (!have.equal(&want) || !b.traceable()) {
		return nil
	}
	fd, err := b.snap.openThread(func() (bool, error) { return b.snap.leaderMayStandIn(&want) })
	if err != nil || fd < 0 {
		return err
	}
	defer unix.Close(fd)
	there, err := b.ch.send([]int{fd})
	if err != nil {
		return err
	}
	var r ptrace.Result
	b.script.ask(&r, "pidfd_getfd", unix.SYS_PIDFD_GETFD, uintptr(there[0]), ^uintptr(0), 0)
	b.ch.drop(there[0])
	b.script.then(func() error { return b.judgeConfined(r) })
	return nil
}

// leaderMayStandIn reports whether the leader of the caller's process has no rights beyond
// the calling thread's, so that what is said of it holds for the thread.
func (s *Snapshot) leaderMayStandIn(own *credentials) (bool, error) {
	st, err := readStatus(s.status.Tgid)
	if err != nil {
		return false, err
	}
	return st.Uid == own.uid && st.Gid == own.gid && capsOf(st).permitted&^own.caps.permitted == 0, nil
}

func (b *build) judgeConfined(r ptrace.Result) error {
	switch {
	case r.Errno != unix.EPERM:
		return nil
	case !b.opt.BestEffort:
		return unsupported("the target is confined by Landlock, more than the caller")
	}
	b.leave("the child is confined as the target is, by Landlock")
	return nil
}

// traceable reports whether nothing but a security module's confinement keeps
// a process without privileges from tracing the caller.
func (b *build) traceable() bool {
	scope, err := unix.Open("/proc/sys/kernel/yama/ptrace_scope", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err == nil {
		defer unix.Close(scope)
		v := []byte{0}
		if _, err := unix.Read(scope, v); err != nil || v[0] != '0' {
			return false
		}
	}
	return b.snap.own.prctl[unix.PR_GET_DUMPABLE].Value == 1
}
