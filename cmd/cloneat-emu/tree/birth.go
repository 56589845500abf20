// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"cloneat-emu/cmd/cloneat-emu/stage"
)

// sysCloneat is the number of the call.
const sysCloneat = 511

// threadFlags share everything that threads share.
const threadFlags = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND |
	unix.CLONE_SYSVSEM | unix.CLONE_THREAD

// birth carries out a birth.
func (b *builder) birth(s Step) error {
	child := b.newTask(s.Child)
	number, pid, err := b.number(s, child, b.flags(s))
	if err != nil {
		return b.unborn(s, number, err)
	}
	b.tasks[s.Child], b.own[s.Child] = child, number
	b.learn(s, pid)
	if err := b.name(s.Actor, s.Child); err != nil {
		return err
	}
	if s.Child == Actor(1) {
		return b.call(1, "prctl(PR_SET_PDEATHSIG)", unix.SYS_PRCTL, unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL))
	}
	return nil
}

// newTask is a task for somebody who is going to be born.
func (b *builder) newTask(a Actor) *stage.Task {
	child := b.m.NewTask()
	child.Gone = func() bool { return b.dead(a) }
	return child
}

// flags are those of the call that makes a child.
func (b *builder) flags(s Step) uint32 {
	flags := uint32(unix.SIGCHLD)
	if s.NewPID {
		flags |= unix.CLONE_NEWPID
	}
	if b.o.Light {
		flags |= unix.CLONE_VM
	}
	return flags
}

// unborn says why a birth failed.
func (b *builder) unborn(s Step, number int, err error) error {
	return fmt.Errorf("process %v, made by %v below %v: %w", s.Child, s.Actor, s.Target, b.taken(err, number))
}

// learn keeps what a caller got to know as its child's number, if that is ours, too.
func (b *builder) learn(s Step, pid int) {
	if b.level(s.Actor) == 0 && b.creatorIsHere() {
		b.host[s.Child] = pid
	}
}

// number makes the call for the number that is asked for, or for the first one
// to be had that no member needs. It returns what it asked for, which is the
// child's number in the target's namespace, and what the caller got to know.
func (b *builder) number(s Step, child *stage.Task, flags uint32) (asked, pid int, err error) {
	if s.Number != 0 || s.NewPID {
		pid, err = b.clone(s, child, s.Number, flags)
		return s.Number, pid, err
	}
	for {
		b.free++
		if b.used[b.free] {
			continue
		}
		pid, err = b.clone(s, child, b.free, flags)
		if !errors.Is(err, unix.EEXIST) {
			return b.free, pid, err
		}
	}
}

// clone makes the call itself.
func (b *builder) clone(s Step, child *stage.Task, hint int, flags uint32) (int, error) {
	mark := b.m.Mark()
	defer b.m.Release(mark)
	maker := b.tasks[s.Actor]
	if b.o.Fork {
		return b.fork(maker, child, hint, flags)
	}
	target, err := b.numberFor(s.Actor, s.Target)
	if err != nil {
		return 0, err
	}
	args, err := cloneatArgs(b.m, flags)
	if err != nil {
		return 0, err
	}
	return maker.Clone(child, sysCloneat, uintptr(target), uintptr(hint), args)
}

// cloneatArgs lays out a struct cloneat_args.
func cloneatArgs(m *stage.Machine, flags uint32) (uintptr, error) {
	words, err := m.Bytes(binary.NativeEndian.AppendUint32(nil, flags))
	if err != nil {
		return 0, err
	}
	var a [64]byte
	binary.NativeEndian.PutUint64(a[0:], uint64(words))
	binary.NativeEndian.PutUint32(a[8:], 4) // flags_size, in bytes
	return m.Bytes(a[:])
}

// fork is the same by clone3(2).
func (b *builder) fork(maker, child *stage.Task, hint int, flags uint32) (int, error) {
	at, n, err := clone3Args(b.m, hint, flags)
	if err != nil {
		return 0, err
	}
	return maker.Clone(child, unix.SYS_CLONE3, at, n)
}

// clone3Args lays out a struct clone_args, whose set_tid lists the innermost number
// first, and returns its address and size.
func clone3Args(m *stage.Machine, hint int, flags uint32) (at, size uintptr, err error) {
	var tids []byte
	if flags&unix.CLONE_NEWPID != 0 && hint != 0 {
		tids = binary.NativeEndian.AppendUint32(tids, 1)
	}
	if hint != 0 {
		tids = binary.NativeEndian.AppendUint32(tids, uint32(hint))
	}
	list, err := m.Bytes(tids)
	if err != nil {
		return 0, 0, err
	}
	signal := uint64(flags & 0xff)
	if len(tids) == 0 {
		list = 0
	}
	var args []byte
	for _, v := range []uint64{uint64(flags &^ 0xff), 0, 0, 0, signal, 0, 0, 0, uint64(list), uint64(len(tids) / 4)} {
		args = binary.NativeEndian.AppendUint64(args, v)
	}
	at, err = m.Bytes(args)
	return at, uintptr(len(args)), err
}

// thread makes a thread, with a slot of its own, in which it waits.
func (b *builder) thread(s Step) error {
	child := b.m.NewTask()
	child.Gone = b.tasks[s.Actor].Gone
	s.Target = s.Actor
	if _, err := b.clone(s, child, s.Number, threadFlags); err != nil {
		return fmt.Errorf("thread %d of process %d: %w", s.Number, s.Actor, b.taken(err, s.Number))
	}
	return child.Deafen()
}
