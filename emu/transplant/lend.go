// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/kcmp"
	"cloneat-emu/emu/proc"
	"cloneat-emu/ptrace"
)

// A lender shows the calling thread's open files: its pidfd is what
// pidfd_getfd(2) is asked through.
type lender struct {
	pidfd int
	giver *ptrace.Stopped   // a process made for the purpose, nil if there was no need
	inj   *ptrace.Injection // in the caller, while giver is there
	id    uintptr           // giver's number for the caller
	heirs *Others           // of giver, if the caller is killed
}

// lend finds a pidfd through which the calling thread's files can be reached.
// Before Linux 6.9 there are pidfds of processes only, which stand for the
// leader's files: where the leader is dead (kernel/pid.c, __pidfd_fget() has no
// files then) or has others than the calling thread, the caller is made to
// clone a process that shares its files, and its memory, so that nothing is
// copied. That one never runs. Precondition: the other threads are frozen, or
// one of them could wait for it.
func (s *Snapshot) lend() (*lender, error) {
	fd, err := s.openThread(func() (bool, error) {
		same, err := kcmp.Same(s.caller.TID, s.status.Tgid, kcmp.Files)
		return same && err == nil, nil
	})
	if fd < 0 && err == nil {
		return s.makeGiver()
	}
	return &lender{pidfd: fd}, err
}

// openThread opens a pidfd of the calling thread. Before Linux 6.9 there are pidfds of
// processes only, which stand for the leader: -1 if that will not do.
func (s *Snapshot) openThread(leaderDoes func() (bool, error)) (int, error) {
	if s.caller.TID != s.status.Tgid {
		if fd, err := unix.PidfdOpen(s.caller.TID, unix.PIDFD_THREAD); err == nil { // Linux 6.9
			return fd, nil
		}
		if does, err := leaderDoes(); err != nil || !does {
			return -1, err
		}
	}
	return unix.FcntlInt(uintptr(s.pidfd), unix.F_DUPFD_CLOEXEC, 0)
}

// makeGiver makes the process. It dies with the operator, and has no exit
// signal, so that the caller does not hear of it.
func (s *Snapshot) makeGiver() (*lender, error) {
	flags, err := s.giverFlags()
	if err != nil {
		return nil, err
	}
	l := &lender{pidfd: -1, inj: s.asked, heirs: &s.others}
	if l.giver, err = l.inj.Fork(unix.SYS_CLONE, flags, 0, 0, 0, 0); err != nil {
		l.noGiver(err)
		return nil, errors.Join(fmt.Errorf("a process that shares the caller's files: %w", err), l.inj.Rest())
	}
	if err = l.giver.SetOptions(unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_EXITKILL); err == nil {
		err = l.inj.Settle(l.giver, flags&unix.CLONE_VM != 0)
	}
	if err == nil {
		l.id, err = l.inj.Finish()
	}
	if err == nil {
		l.pidfd, err = unix.PidfdOpen(l.giver.TID, 0)
	}
	if err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

// noGiver ends what a clone that failed with err has made all the same.
func (l *lender) noGiver(err error) {
	var dead *ptrace.Stillborn
	switch {
	case errors.As(err, &dead):
		l.reap(dead.Child, dead.ID)
	case ptrace.Gone(err) && l.heirs.Unheard != nil:
		l.heirs.Unheard(l.inj.TID)
	}
}

// giverFlags are those of the clone. Children that are born into another time
// namespace cannot share memory (kernel/fork.c, copy_process()), and one that is
// born into a pid namespace without init would be its init.
func (s *Snapshot) giverFlags() (uintptr, error) {
	tid := s.caller.TID
	if _, err := readLink(tid, "ns/pid_for_children"); errors.Is(err, os.ErrNotExist) {
		return 0, unsupported("the descriptors of a thread whose leader does not have them, and whose next child is init of a pid namespace, need Linux 6.9")
	}
	if !proc.Has(proc.Time) {
		return unix.CLONE_FILES | unix.CLONE_VM, nil
	}
	own, err := readLink(tid, "ns/time")
	children, cerr := readLink(tid, "ns/time_for_children")
	if own != children {
		return unix.CLONE_FILES, errors.Join(err, cerr)
	}
	return unix.CLONE_FILES | unix.CLONE_VM, errors.Join(err, cerr)
}

// reap has a dead giver reaped by the caller, for which it has the number id (0: none), or by
// whoever it is left to.
func (l *lender) reap(giver *ptrace.Stopped, id uintptr) {
	if id == 0 || !l.inj.ReapChild(giver, id) {
		l.heirs.orphan(giver)
	}
}

// close ends the lender, and leaves the caller as it was.
func (l *lender) close() error {
	if l.pidfd >= 0 {
		unix.Close(l.pidfd)
	}
	if l.giver == nil {
		return nil
	}
	l.giver.Die()
	l.reap(l.giver, l.id)
	return l.inj.Rest()
}
