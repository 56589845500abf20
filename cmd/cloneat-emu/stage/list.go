// SPDX-License-Identifier: Apache-2.0

package stage

import (
	"math"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// list is the number that stands for a list of calls.
const list = ^uint64(1)

const (
	offHalt = 84 // in the first slot
	// pending is what an entry holds as its result before it has one: no call
	// returns it.
	pending  = math.MinInt64
	entryLen = 80
)

// Entry is a call of a list, for a task to make behind the one before it. The zero
// Entry is none.
type Entry struct {
	m      *Machine
	offset uintptr
}

// NewEntry takes memory for a call; [Machine.Release] frees it.
func (m *Machine) NewEntry(child *Task, nr uint64, args ...uintptr) (Entry, error) {
	at, err := m.Bytes(make([]byte, entryLen))
	if err != nil {
		return Entry{}, err
	}
	e := Entry{m, at - base}
	m.order(e.offset, child, nr, args)
	*m.quad(e.offset + offRet) = 1 << 63
	return e, nil
}

// Then puts a call behind this one.
func (e Entry) Then(next Entry) { *e.m.quad(e.offset) = uint64(base + next.offset) }

// Next is the call behind this one, if there is one.
func (e Entry) Next() (Entry, bool) {
	at := *e.m.quad(e.offset)
	return Entry{e.m, uintptr(at) - base}, at != 0
}

// Made reports whether the call has been made.
func (e Entry) Made() bool { return e.result() != pending }

// Result is what the call returned, or its Errno; ErrGone if it was not made.
// Precondition: the list is finished, or Made.
func (e Entry) Result() (uintptr, error) {
	ret := e.result()
	if ret == pending {
		return 0, ErrGone
	}
	return result(ret)
}

func (e Entry) result() int64 {
	return int64(atomic.LoadUint64(e.m.quad(e.offset + offRet)))
}

// StartList gives a list as an order, without waiting. It is carried out up to
// its end, a call that fails or [Machine.Halt]; [Task.Finish] returns what the last
// call that was made did. A task that is not born yet begins with it.
func (t *Task) StartList(first Entry) { t.Start(nil, list, base+first.offset) }

// Halt lets all lists end behind the call that is being made.
func (m *Machine) Halt() { atomic.StoreUint32(m.word(offHalt), 1) }

// result is the value of a system call as two.
func result(ret int64) (uintptr, error) {
	if ret < 0 && ret > -4096 {
		return 0, unix.Errno(-ret)
	}
	return uintptr(ret), nil
}
