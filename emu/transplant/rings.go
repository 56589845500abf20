// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"sync"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
	"cloneat-emu/ptrace"
)

// A thread can bind itself and its children in what they do with io_uring(7) (Linux 7.0,
// io_uring_register(2) without a ring: io_register_restrictions_task() in
// io_uring/register.c), as by a seccomp filter. Nobody can read what was forbidden, nor
// take it back: that there is something shows by what such a call answers.

const (
	registerRestrictions = 11
	registerNothing      = 1 << 16 // no request at all: EINVAL before any of it is looked at
	noRing               = ^uintptr(0)
	// harmless is how many requests, from 0 on, need a ring: EINVAL without.
	harmless = registerRestrictions
)

// bindsRings reports whether this kernel binds threads: older ones do not know the request
// without a ring.
var bindsRings = sync.OnceValue(func() bool {
	_, _, errno := unix.RawSyscall6(unix.SYS_IO_URING_REGISTER, noRing, registerRestrictions, 0, 1, 0, 0)
	return errno != unix.EINVAL && errno != unix.EBADF && errno != unix.ENOSYS
})

// ringRules are a thread's answers to requests that do nothing.
type ringRules struct {
	nothing, bind ptrace.Result
	others        [harmless]ptrace.Result
}

func (a *ringRules) ask(s *script) {
	if !bindsRings() {
		return
	}
	s.ask(&a.nothing, "io_uring_register", unix.SYS_IO_URING_REGISTER, noRing, registerNothing, 0, 0)
	s.ask(&a.bind, "io_uring_register", unix.SYS_IO_URING_REGISTER, noRing, registerRestrictions, 0, 0)
	for i := range a.others {
		s.ask(&a.others[i], "io_uring_register", unix.SYS_IO_URING_REGISTER, noRing, uintptr(i), 0, 0)
	}
}

// bound reports whether there are rules for the thread st. Who may not make any gets EACCES,
// and so does who is bound in the requests themselves: the others tell the one from the other.
// Where a seccomp filter answers in the kernel's place, there is nothing to be seen.
func (a *ringRules) bound(st *proc.Status) bool {
	if a.nothing.Errno != unix.EINVAL {
		return false
	}
	mayBind := st.NoNewPrivs || st.Capable(unix.CAP_SYS_ADMIN)
	if a.bind.Errno == unix.EPERM || a.bind.Errno == unix.EACCES && mayBind {
		return true
	}
	for _, r := range a.others {
		if r.Errno == unix.EACCES {
			return true
		}
	}
	return false
}

// checkRings refuses a child that would be bound otherwise than its caller, as far as can be
// known: two that are bound need not be so by the same rules.
func (b *build) checkRings() error {
	who := "caller"
	switch {
	case b.own.rings.bound(b.status):
		who = "target"
	case !b.snap.own.rings.bound(b.snap.status):
		return nil
	}
	if !b.opt.BestEffort {
		return unsupported("the %s is bound by rules for io_uring (IORING_REGISTER_RESTRICTIONS), which a child of the target's cannot have from its caller", who)
	}
	b.leave("the child is bound in its use of io_uring as the target is, not as the caller")
	return nil
}
