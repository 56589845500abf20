// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"cloneat-emu/emu/proc"
	"cloneat-emu/ptrace"

	"golang.org/x/sys/unix"
)

// The child's memory is that of one instant, although it is copied over many
// milliseconds: fork(2) holds the caller's mmap_lock and write-protects its
// pages, here the caller's other threads are stopped until the copy is made, and with them other
// processes that share its memory (company.go).

// Freeze keeps the programs of a stopped caller's other threads from going on, until
// Release. One that cannot be stopped now, since it waits in vfork(2), would stop before
// that: it stays attached until this thread ends. others are as in Take. There is nothing
// more in this Snapshot.
func Freeze(caller *ptrace.Stopped, others Others) (*Snapshot, error) {
	s := &Snapshot{caller: caller, others: others, mayWait: true}
	err := s.takeStatus()
	if err == nil {
		err = s.freeze()
	}
	if err != nil {
		_ = s.Release()
	}
	return s, err
}

// freeze stops every other thread of the caller's group, and of its company. New ones can be
// born until the last one is stopped, so that the list is read again until it holds nobody new.
func (s *Snapshot) freeze() error {
	if s.status.Threads < 2 && len(s.others.Company) == 0 {
		return nil
	}
	held := map[int]bool{s.caller.TID: true}
	for fresh := true; fresh; {
		fresh = false
		for _, tgid := range append([]int{s.status.Tgid}, s.others.Company...) {
			tids, err := threadsOf(tgid)
			if err != nil && tgid == s.status.Tgid {
				return err
			}
			for _, tid := range tids {
				if held[tid] {
					continue
				}
				held[tid], fresh = true, true
				if err := s.freezeOne(tgid, tid); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// freezeOne stops one thread of process tgid; one that is ending is none any more, one of
// the kernel's has no part in the program, and one that writes a core dump has no more.
func (s *Snapshot) freezeOne(tgid, tid int) error {
	if st, err := readStat(tid); err == nil && (st.Worker() || st.Dumping() || s.awaitsCaller(tgid, st)) {
		return nil
	}
	awaited := func() { s.interrupted(tid) }
	t, err := ptrace.StopBeside(tid, unix.PTRACE_O_TRACESYSGOOD, s.stopped[tgid], awaited)
	switch {
	case errors.Is(err, ptrace.ErrExecuted):
		s.frozen = nil // dead, or somebody else by now
		return err
	case err == nil:
		s.frozen = append(s.frozen, t)
		s.stopped[tgid] = append(s.stopped[tgid], tid)
		return nil
	case ptrace.Gone(err), s.mayWait && errors.Is(err, ptrace.ErrBusy):
		return nil
	case !errors.Is(err, unix.EPERM):
		return fmt.Errorf("thread %d of the caller: %w", tid, err)
	case proc.Exiting(tid), ours(tid):
		return nil
	}
	return fmt.Errorf("thread %d of the caller is traced by another process, or may not be traced: %w", tid, ptrace.ErrBusy)
}

// awaitsCaller reports whether a thread of another process waits for the caller, its vfork(2)
// child, to execute or end.
func (s *Snapshot) awaitsCaller(tgid int, st *proc.Stat) bool {
	return tgid != s.status.Tgid && tgid == s.status.PPid && st.State == 'D'
}

// Others are told what becomes of threads of the caller's other than the calling one, and of
// helpers that the caller was made to make. A nil function does nothing.
type Others struct {
	// Company are other processes that share the caller's memory, which are stopped as well.
	// Nobody else may attach to them meanwhile.
	Company []int
	// KeepsMemory: the caller's memory is not to be copied.
	KeepsMemory bool
	// Awaited is called, again and again, for each that was interrupted and has not stopped
	// yet: it may wait in a call of its own, and has to be sent back before it can stop.
	Awaited func(tid int)
	// LetGo is called for each that goes on, with what [ptrace.Stopped.Due] says.
	LetGo func(tid int, due time.Time)
	// Orphan ends a helper that the caller, which has been killed, could not be made to reap.
	Orphan func(helper *ptrace.Stopped)
	// Ends is told of a child that is about to be killed.
	Ends func(child *ptrace.Stopped)
	// Stuck is told that the child cannot be killed now: it waits for somebody who does not answer.
	// What is left to be done for it may last long.
	Stuck func(child int, err error)
	// Frozen is told that the child is, as the caller, in whose control group it is: it is waited for
	// until what Frozen returns is called.
	Frozen func() (over func())
	// Unheard ends the helper that a caller has made, if it has, which was killed in its clone.
	Unheard func(caller int)
}

func (o *Others) orphan(helper *ptrace.Stopped) {
	if o.Orphan == nil {
		helper.Reap()
		return
	}
	o.Orphan(helper)
}

func (o *Others) letGo(t *ptrace.Stopped) {
	if o.LetGo != nil {
		o.LetGo(t.TID, t.Due())
	}
}

// interrupted tells of a thread that was interrupted and is awaited.
func (s *Snapshot) interrupted(tid int) {
	if s.others.Awaited != nil {
		s.others.Awaited(tid)
	}
}

// ours reports whether this process traces the thread: it waits, stopped, for
// a vfork child of its own.
func ours(tid int) bool {
	st, err := readStatus(tid)
	if err != nil || st.TracerPid == 0 {
		return false
	}
	// TracerPid names the thread that traces (kernel: task_state in fs/proc/array.c).
	_, err = os.Stat(procPath(os.Getpid(), "task/"+strconv.Itoa(st.TracerPid)))
	return err == nil
}

// Frozen is a thread that was stopped with the caller, in a stop in which it can be made to call,
// if it has not been let go.
func (s *Snapshot) Frozen(tid int) *ptrace.Stopped {
	if s == nil {
		return nil
	}
	for _, t := range s.frozen {
		if t.TID == tid && (t.Last.Kind == ptrace.Interrupt || t.Last.Kind == ptrace.Group) {
			return t
		}
	}
	return nil
}

// Beside are the threads that are stopped with the caller.
func (s *Snapshot) Beside() (tids []int) {
	if s == nil {
		return nil
	}
	for _, t := range s.frozen {
		tids = append(tids, t.TID)
	}
	return tids
}

// Release lets the caller's other threads go on. Build does it as soon as the
// contents of memory are copied; who takes a snapshot and does not build must
// do it himself. It may be called more than once.
func (s *Snapshot) Release() error {
	var failed error
	for _, t := range s.frozen {
		if err := thaw(t); err != nil && !ptrace.Gone(err) {
			failed = errors.Join(failed, err)
		}
		s.others.letGo(t)
	}
	s.frozen = nil
	return failed
}

// thaw detaches a thread. One whose call would end with EINTR or early for the
// mere stop (epoll_wait and its kin, a write to a full pipe) is made to go on with
// it, which is what opening and closing an injection does.
func thaw(t *ptrace.Stopped) error {
	if regs, err := t.Regs(); err == nil && ptrace.Disturbed(regs) {
		if inj, err := t.Begin(); err == nil {
			_ = inj.End()
		}
	}
	sig := 0
	if t.Last.Kind == ptrace.Signal {
		sig = int(t.Last.Sig)
	}
	return t.Detach(sig)
}

// threadsOf lists the threads of a group.
func threadsOf(tgid int) ([]int, error) {
	d, err := proc.Open(tgid)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Threads()
}
