// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"encoding/binary"
	"slices"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/transplant"
	"cloneat-emu/ptrace"
)

// A child that is not to be ends without its parent's notice: the parent, which is stopped, reaps
// it, and its signal is taken back. But while that one waits, the kernel drops the SIGCHLD of
// another child (legacy_queue() in kernel/signal.c): whom the parent has to hear of is found by
// what has changed meanwhile.

// silence is kept about the end of one child.
type silence struct {
	t      *ptrace.Injection
	sig    unix.Signal
	child  int
	id     int         // its number for t
	own    int64       // t's for itself
	group  int64       // its process's
	before map[int]kin // others
	waited bool        // such a signal waited for the process
}

// quietly lets end end the child of t, and takes back the signal that tells of it.
func (c *call) quietly(t *ptrace.Injection, child int, sig unix.Signal, end func() error) error {
	defer t.KeepStops()()
	if sig == 0 {
		return end()
	}
	defer c.deafen(t)()
	s := &silence{
		t: t, sig: sig, child: child, id: int(numberFor(t.TID, child)),
		own: numberFor(t.TID, t.TID), group: numberFor(t.TID, groupOf(t.TID)),
		before: kinOf(t.TID, child), // first: who ends from here on has a signal that waits, or is a change
	}
	s.waited = s.waits()
	err := end()
	if s.waits() {
		s.takeBack()
	}
	return err
}

// deafen keeps the other threads of t's process from what would be theirs at once, the signal and
// the dead child, until hear is called. One that cannot be stopped, or writes a core dump, has to
// be on its way for that.
func (c *call) deafen(t *ptrace.Injection) (hear func()) {
	others, err := transplant.Freeze(t.Stopped, transplant.Others{Awaited: c.s.sendBack, LetGo: c.s.letGo})
	if err != nil {
		return func() {} // none is stopped
	}
	return func() { _ = others.Release() }
}

// waits reports whether such a signal waits for t's process.
func (s *silence) waits() bool {
	st, err := statusOf(s.t.TID)
	return err == nil && st.ShdPnd&setOf(s.sig) != 0
}

// takeBack takes the child's signal, and leaves those of others. One that was sent to t alone
// is taken before those of its process.
func (s *silence) takeBack() {
	queued, err := s.t.Queued()
	if err != nil {
		return
	}
	alone, err := s.t.QueuedAlone()
	if err != nil {
		return
	}
	other := func(q ptrace.Queued) bool { return q.Sig != s.sig }
	queued, alone = slices.DeleteFunc(queued, other), slices.DeleteFunc(alone, other)
	child := slices.IndexFunc(queued, func(q ptrace.Queued) bool { return q.PID == s.id && q.Code > 0 })
	if child < 0 && (s.waited || len(queued) > 0) {
		return
	}
	for range len(alone) + max(1, len(queued)) { // it may be there without being in the queue
		takeSignal(s.t, s.sig)
	}
	for _, q := range alone {
		_ = s.t.QueueAlone(s.group, s.own, q)
	}
	for i, q := range queued {
		if i != child {
			_ = s.t.Queue(s.own, q)
		}
	}
	if s.sig != unix.SIGCHLD {
		return
	}
	if change, ok := s.dropped(); ok {
		_ = s.t.Queue(s.own, change.Signal())
	}
}

// dropped finds a child whose SIGCHLD was dropped.
func (s *silence) dropped() (ptrace.Change, bool) {
	now := kinOf(s.t.TID, s.child)
	for pid, is := range now {
		was := s.before[pid]
		switch {
		case is.ended() && !was.ended() && is.exitSignal == int(unix.SIGCHLD):
			return is.end(s.t.TID), true
		case is.ended() || is.stopped() == was.stopped() || s.noStops():
		case is.stopped():
			return is.change(s.t.TID, ptrace.Halted, int32(unix.SIGSTOP)), true
		default:
			return is.change(s.t.TID, ptrace.Continued, int32(unix.SIGCONT)), true
		}
	}
	for pid, was := range s.before { // reaped meanwhile, by the kernel (SA_NOCLDWAIT) or a thread
		if _, there := now[pid]; !there && !was.ended() && was.exitSignal == int(unix.SIGCHLD) {
			return was.end(s.t.TID), true
		}
	}
	return ptrace.Change{}, false
}

// noStops reports whether t does not hear of stops (SA_NOCLDSTOP).
func (s *silence) noStops() bool {
	const noChildStop = 1 // SA_NOCLDSTOP
	var act [32]byte      // handler, flags, restorer, mask
	at, err := s.t.Page()
	if err == nil {
		_, err = s.t.Call(unix.SYS_RT_SIGACTION, uintptr(unix.SIGCHLD), 0, at, 8)
	}
	if err == nil {
		err = s.t.Read(at, act[:])
	}
	return err != nil || binary.LittleEndian.Uint64(act[8:])&noChildStop != 0
}

// takeSignal makes the tracee take a pending signal out of its queue.
func takeSignal(t *ptrace.Injection, sig unix.Signal) {
	var b [32]byte // the set, then a timeout of zero
	binary.LittleEndian.PutUint64(b[:], 1<<(uint(sig)-1))
	if at, err := t.Args(b[:]); err == nil {
		_, _ = t.Call(unix.SYS_RT_SIGTIMEDWAIT, at, 0, at+8, 8)
	}
}
