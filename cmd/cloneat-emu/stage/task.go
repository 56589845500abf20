// SPDX-License-Identifier: Apache-2.0

package stage

import (
	"encoding/binary"
	"errors"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Offsets in a slot, asm/stage_amd64.S.
const (
	offSeq   = 0
	offAck   = 4
	offNR    = 8
	offChild = 16
	offRet   = 24
	offArg   = 32
	offBorn  = 80
)

// idle is the number that stands for no call but the end of orders.
const idle = ^uint64(0)

// ErrGone says that a task died before it carried an order out.
var ErrGone = errors.New("the stage is gone")

// Task is a process or thread of the stage.
type Task struct {
	m      *Machine
	offset uintptr
	// Gone, if set, is asked now and then while an order is waited for, and
	// tells that the task cannot carry it out any more.
	Gone func() bool
}

// Machine is the machine whose task it is.
func (t *Task) Machine() *Machine { return t.m }

// Start gives an order without waiting: an exec, an exit. A call that returns
// after all is told by [Task.Finish].
func (t *Task) Start(child *Task, nr uint64, args ...uintptr) {
	m := t.m
	m.order(t.offset, child, nr, args)
	seq := m.word(t.offset + offSeq)
	atomic.AddUint32(seq, 1)
	futexWake(seq)
}

// order writes a call into a slot, or the entry of a list.
func (m *Machine) order(at uintptr, child *Task, nr uint64, args []uintptr) {
	*m.quad(at + offNR) = nr
	*m.quad(at + offChild) = 0
	if child != nil {
		*m.quad(at + offChild) = uint64(base + child.offset)
	}
	for i := range 6 {
		var a uintptr
		if i < len(args) {
			a = args[i]
		}
		*m.quad(at + offArg + 8*uintptr(i)) = uint64(a)
	}
}

// Done reports whether the order under way has been carried out.
func (t *Task) Done() bool {
	return atomic.LoadUint32(t.m.word(t.offset+offAck)) == atomic.LoadUint32(t.m.word(t.offset+offSeq))
}

// Finish waits until the order under way is carried out. The error is the
// call's Errno, or ErrGone.
func (t *Task) Finish() (uintptr, error) {
	return t.FinishWatched(func() error { return nil })
}

// FinishWatched is Finish, and gives up with the error of watch, which is asked now
// and then.
func (t *Task) FinishWatched(watch func() error) (uintptr, error) {
	seq := atomic.LoadUint32(t.m.word(t.offset + offSeq))
	var err error
	giveUp := func() bool {
		if t.Gone != nil && t.Gone() {
			err = ErrGone
		} else {
			err = watch()
		}
		return err != nil
	}
	// Orders are given one after another, so the word changes but once.
	if !awaitChange(t.m.word(t.offset+offAck), seq-1, giveUp) {
		return 0, err
	}
	return result(int64(*t.m.quad(t.offset + offRet)))
}

// Poke makes a waiter ask [Task.Gone] at once.
func (t *Task) Poke() { futexWake(t.m.word(t.offset + offAck)) }

// Call makes one system call in the task.
func (t *Task) Call(nr uint64, args ...uintptr) (uintptr, error) {
	t.Start(nil, nr, args...)
	return t.Finish()
}

// Clone makes a call that makes a task, which is going to serve child. It
// returns what the call returns to the maker, when both have returned.
func (t *Task) Clone(child *Task, nr uint64, args ...uintptr) (int, error) {
	t.Start(child, nr, args...)
	pid, err := t.Finish()
	if err != nil {
		return 0, err
	}
	return int(pid), child.AwaitBirth()
}

// AwaitBirth waits until the task serves its slot.
func (t *Task) AwaitBirth() error {
	if !awaitChange(t.m.word(t.offset+offBorn), 0, t.Gone) {
		return ErrGone
	}
	return nil
}

// Idle tells the task that no orders follow. It lets go of the shared memory
// and waits for signals: SIGTERM ends it with status 0, SIGUSR1 makes it write
// its numbers to descriptor 1, others do what they do by default.
func (t *Task) Idle() error {
	t.StartIdle(false)
	_, err := t.Finish()
	return err
}

// StartIdle is Idle without waiting. A process that shares its memory, with
// threads that go on waiting for orders ([Task.Deafen]) or with other processes,
// keeps it.
func (t *Task) StartIdle(shares bool) {
	release := uintptr(size)
	if shares {
		release = 0
	}
	t.Start(nil, idle, release)
}

// Deafen blocks the signals that idlers answer, so that a thread that is not
// going to idle leaves them to the one that is.
func (t *Task) Deafen() error {
	mark := t.m.Mark()
	defer t.m.Release(mark)
	set, err := t.m.Bytes(binary.NativeEndian.AppendUint64(nil, 1<<(unix.SIGUSR1-1)|1<<(unix.SIGTERM-1)))
	if err != nil {
		return err
	}
	_, err = t.Call(unix.SYS_RT_SIGPROCMASK, unix.SIG_BLOCK, set, 0, 8)
	return err
}
