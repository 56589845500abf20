// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"cloneat-emu/ptrace"
)

// A C that shares its descriptors (CLONE_FILES) shows whatever it works with to all who share
// them: the caller's memory, its mapped files, its directories. Any of those may belong to another
// user, who would read it, or put something of its own under the number that C is about to use. So
// C makes another process for that time, its hand, which has its memory and its directories, and
// descriptors of its own: it has them to itself, and what it does to memory and directories is done
// to C's. It never runs a program, and dies with the operator.
//
// C ignores its end, so that it is gone with that (C's dispositions are set later), and need not
// be reaped by a C that may be killed before it has done so. Where those are others' too, C waits
// for it.
type hand struct {
	*ptrace.Stopped
	id    uintptr // C's number for it
	pidfd int
	own   work // C's
}

// work is what the calls go through that build C: its own, or its hand's.
type work struct {
	script  *script
	ch      *channel
	sockets *sockets
	closed  ptrace.Result
	emptied bool
	pidfd   int
	tid     int
}

// sharesFiles reports whether others see the descriptors that are worked with.
func (b *build) sharesFiles() bool { return b.opt.ShareFiles && b.hand == nil }

// takeHand has C make one, where it needs one.
func (b *build) takeHand() error {
	if !b.opt.ShareFiles || b.opt.keepsMemory() && b.opt.ShareFS {
		return nil
	}
	if !b.opt.ShareSighand {
		ignore := sigaction{sigIgn}
		b.script.add("rt_sigaction", uint64(unix.SIGCHLD), unix.SYS_RT_SIGACTION, uintptr(unix.SIGCHLD), b.script.data(ignore[:]), 0, 8)
	}
	if err := b.script.run(); err != nil {
		return err
	}
	if err := b.makeHand(); err != nil {
		return err
	}
	b.closeFDs()
	b.queueSockets()
	if err := b.script.run(); err != nil {
		return err
	}
	return b.openChannel()
}

func (b *build) makeHand() error {
	if err := b.c.SetOptions(b.options() | unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACEFORK); err != nil {
		return err
	}
	flags := uintptr(unix.CLONE_VM | unix.CLONE_FS)
	if !b.opt.ShareSighand {
		flags |= uintptr(unix.SIGCHLD)
	}
	stopped, err := b.inj.Fork(unix.SYS_CLONE, flags, 0, 0, 0, 0)
	if errors.Is(err, unix.EAGAIN) {
		return unsupported("the target's child needs a helper, and there is no room for one more process")
	}
	if err != nil {
		b.noHand(err)
		return fmt.Errorf("a helper that has the child's memory: %w", err)
	}
	stopped.LeaveExit()
	b.hand = &hand{Stopped: stopped, pidfd: -1, own: b.work}
	if err := errors.Join(stopped.SetOptions(b.options()), b.c.SetOptions(b.options())); err != nil {
		return err
	}
	if b.hand.id, err = b.inj.Finish(); err != nil {
		return err
	}
	return b.useHand()
}

// useHand has all work go through it.
func (b *build) useHand() error {
	h := b.hand
	i, err := h.Begin()
	if err != nil {
		return err
	}
	i.Hold, i.OnStuck, i.Bound = true, b.snap.others.Frozen, true
	if h.pidfd, err = unix.PidfdOpen(h.TID, 0); err != nil {
		return err
	}
	batch, err := h.own.script.batch.For(i)
	if err == nil {
		b.work = work{script: &script{inj: i, batch: batch}, pidfd: h.pidfd, tid: h.TID}
	}
	return err
}

// dropHand ends the hand, when it has done what it was asked for; C goes on by itself.
func (b *build) dropHand() error {
	if b.hand == nil {
		return nil
	}
	b.ch.close()
	err := b.script.run()
	return errors.Join(err, b.endHand())
}

// noHand looks for what a clone that failed with err has made all the same.
func (b *build) noHand(err error) {
	var dead *ptrace.Stillborn
	switch {
	case errors.As(err, &dead):
		b.hand = &hand{Stopped: dead.Child, id: dead.ID, pidfd: -1, own: b.work}
	case ptrace.Gone(err) && b.snap.others.Unheard != nil:
		b.snap.others.Unheard(b.c.TID)
	}
}

// endHand ends it wherever it is, and has C reap it, or, if C was killed, whoever it is left to:
// that one has never heard of it.
func (b *build) endHand() error {
	h := b.hand
	if h == nil {
		return nil
	}
	if b.ch != nil && b.ch != h.own.ch {
		b.ch.closeOurs()
	}
	h.Die()
	if h.pidfd >= 0 {
		unix.Close(h.pidfd)
	}
	b.hand, b.work = nil, h.own
	if h.id != 0 { // else C is in its clone
		batch, err := b.script.batch.For(b.inj)
		if err == nil && b.reapHand(batch, h) {
			b.script.batch = batch
			return nil
		}
	}
	b.c.Die()
	b.snap.others.orphan(h.Stopped)
	return fmt.Errorf("the child, which has a helper: %w", ptrace.ErrGone)
}

// reapHand reports false where it is C's no more. A C that is killed meanwhile stops before its end.
func (b *build) reapHand(batch *ptrace.Batch, h *hand) bool {
	if b.opt.ShareSighand {
		return batch.ReapChild(h.Stopped, h.id)
	}
	if b.c.SetOptions(b.options()|unix.PTRACE_O_TRACEEXIT) != nil {
		return false
	}
	defer b.c.SetOptions(b.options()) //nolint:errcheck // gone: whatever it is asked next finds out
	st, err := readStatus(h.TID)
	if err != nil || st.PPid != b.c.TID {
		return false
	}
	h.Reap()
	return true
}
