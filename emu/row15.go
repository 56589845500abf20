// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"errors"
	"math"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
	"cloneat-emu/emu/transplant"
	"cloneat-emu/ptrace"
)

// mayFork is row 15 where it is not the caller that clones: its RLIMIT_NPROC,
// and threads-max. The kernel is asked, by a clone3(2) in the caller that fails
// later, at the allocation of a pid that no process can have, and that copies
// no memory (copy_process in kernel/fork.c, alloc_pid in kernel/pid.c).
func (c *call) mayFork() error {
	switch deadline, err := deadlineOf(c.n.TID); {
	case err != nil:
		return ofCaller(err)
	case deadline != nil:
		return unix.EAGAIN
	}
	if unbounded(c.check.Caller.Status) {
		return nil
	}
	at, err := c.caller.Args(nil)
	if err != nil {
		return ofCaller(err)
	}
	const nothingCopied = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES
	args := cloneArgs{Flags: nothingCopied, ExitSignal: uint64(unix.SIGCHLD)}
	if _, err := c.caller.Args(args.encode(at, []int32{math.MaxInt32})); err != nil {
		return ofCaller(err)
	}
	_, err = c.caller.Call(unix.SYS_CLONE3, at, cloneArgsSize)
	if errors.Is(err, unix.EAGAIN) || ptrace.Gone(err) {
		return ofCaller(err)
	}
	return nil // EINVAL: it got past the limits
}

// unbounded reports whether a process is of the kernel's INIT_USER, who has no limit: root, and
// not the root of another user namespace.
func unbounded(st *proc.Status) bool { return st.Uid[0] == 0 && proc.InitialUserNS() }

// unlimited runs fork, which makes the target clone, and once more without the
// target's soft RLIMIT_NPROC if that is what forbade it: the target's limit must
// not decide, since the child is not its own. The supervisor may not set other
// users' limits everywhere (CAP_SYS_RESOURCE), the target may set this one.
func (c *call) unlimited(t *ptrace.Injection, fork func() (*ptrace.Stopped, error)) (*ptrace.Stopped, func(), error) {
	child, err := fork()
	if !errors.Is(err, unix.EAGAIN) {
		return child, func() {}, err
	}
	switch restore, err := c.resetOnFork(t.TID); {
	case err != nil:
		return nil, func() {}, err
	case restore != nil:
		defer restore()
		if child, err = fork(); !errors.Is(err, unix.EAGAIN) {
			return child, func() {}, err
		}
	}
	if err := c.crowded(t.TID); err != nil {
		return nil, func() {}, err
	}
	old, err := limitOf(t.TID, processes)
	if err != nil {
		return nil, func() {}, err
	}
	switch theirs, err := c.limitDecides(t.TID, old); {
	case err != nil:
		return nil, func() {}, err
	case !theirs:
		return nil, func() {}, unix.EAGAIN // others took what was left when mayFork asked
	}
	restore, err := liftProcesses(t, old)
	if err != nil {
		return nil, func() {}, err
	}
	child, err = fork()
	return child, restore, err
}

// liftProcesses lifts the target's RLIMIT_NPROC, which is reached, until restore: by the
// supervisor (CAP_SYS_RESOURCE), or by the target as far as its hard limit goes.
func liftProcesses(t *ptrace.Injection, old unix.Rlimit) (restore func(), err error) {
	none := unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}
	if unix.Prlimit(t.TID, unix.RLIMIT_NPROC, &none, nil) == nil {
		return func() { _ = unix.Prlimit(t.TID, unix.RLIMIT_NPROC, &old, nil) }, nil
	}
	if old.Cur == old.Max {
		return nil, &transplant.Unsupported{Cause: "RLIMIT_NPROC of the target, which it cannot raise"}
	}
	err = setLimit(t, unix.RLIMIT_NPROC, unix.Rlimit{Cur: old.Max, Max: old.Max})
	return func() { _ = setLimit(t, unix.RLIMIT_NPROC, old) }, err
}

// limitDecides reports whether it may be its limit for which the target's clone failed, and
// not the caller's: not where it has none, as root, nor where they are processes of one
// user, and the caller's is no higher.
func (c *call) limitDecides(target int, its unix.Rlimit) (bool, error) {
	st, err := statusOf(target)
	if err != nil || unbounded(st) || its.Cur == unix.RLIM_INFINITY {
		return false, err
	}
	own, err := limitOf(c.n.TID, processes)
	return st.Uid[0] != c.check.Caller.Status.Uid[0] || own.Cur == unix.RLIM_INFINITY || own.Cur > its.Cur, err
}
