// SPDX-License-Identifier: Apache-2.0

package check

import (
	"testing"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/abi"
)

// order is a call as a test describes it. A zero exit signal means SIGCHLD.
type order struct {
	pid, hint int
	flags     uint64
	signal    int
	access    unix.Errno // what row 12 is told
}

// judge runs the rows for a call of the thread tid.
func judge(t *testing.T, tid int, o order) (*Call, unix.Errno) {
	t.Helper()
	from, err := OpenCaller(tid)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(from.Close)
	c := newCall(from, o)
	errno := c.Check()
	t.Cleanup(c.Close)
	return c, errno
}

func newCall(from *Caller, o order) *Call {
	if o.signal == 0 {
		o.signal = int(unix.SIGCHLD)
	}
	return &Call{
		Caller: from, Pid: o.pid, Hint: o.hint,
		Args:   &abi.Args{Flags: o.flags, ExitSignal: o.signal},
		Access: func(int) unix.Errno { return o.access },
	}
}

// want runs the rows and compares which of them answers what.
func want(t *testing.T, name string, tid int, o order, row int, errno unix.Errno) *Call {
	t.Helper()
	c, got := judge(t, tid, o)
	if got != errno || c.Row != row {
		t.Errorf("%s: row %d answers %v (%s), want row %d and %v", name, c.Row, got, c.Cause, row, errno)
	}
	if (c.Cause != "") != (got != 0) {
		t.Errorf("%s: errno %v, cause %q", name, got, c.Cause)
	}
	return c
}

func TestRowsAreInTheOrderOfTheSpecification(t *testing.T) {
	for i := 1; i < len(rows); i++ {
		if step := rows[i].number - rows[i-1].number; step < 0 || step > 1 {
			t.Errorf("row %d comes after row %d", rows[i].number, rows[i-1].number)
		}
	}
	if rows[0].number != 7 || rows[len(rows)-1].number != 14 {
		t.Error("the list is not 7 to 14")
	}
}

// freeNumber is a number that no process has: beyond pid_max.
const freeNumber = 1 << 30

// Each case has two faults. The earlier row must answer.
func TestEarlierRowWins(t *testing.T) {
	a := newActor(t, 0)
	plain, uts, zombie := a.do("spawn plain"), a.do("spawn uts"), a.do("spawn zombie")
	stranger := newActor(t, 0)
	strangerThread, strangerZombie := stranger.do("thread"), stranger.do("spawn zombie")
	a.do("drop") // no capability from here on
	const outOfRange = 1 << 22
	for _, tc := range []struct {
		name  string
		order order
		row   int
		errno unix.Errno
	}{
		{"7 hint, 8 nobody", order{pid: freeNumber, hint: -1}, 7, unix.EINVAL},
		{"7 pid, 11 signal", order{pid: 0, signal: 10}, 7, unix.EINVAL},
		{"7 pid, 14 hint", order{pid: -1, hint: 500}, 7, unix.EINVAL},
		{"8 nobody, 11 thread", order{pid: freeNumber, flags: unix.CLONE_THREAD}, 8, unix.ESRCH},
		{"8 nobody, 14 hint", order{pid: freeNumber, hint: outOfRange}, 8, unix.ESRCH},
		{"8 thread, 9 stranger's", order{pid: strangerThread}, 8, unix.EINVAL},
		{"9 stranger, 10 zombie", order{pid: strangerZombie}, 9, unix.EPERM},
		{"9 stranger, 11 signal", order{pid: stranger.PID(), signal: 10}, 9, unix.EPERM},
		{"9 stranger, 14 hint", order{pid: stranger.PID(), hint: outOfRange}, 9, unix.EPERM},
		{"10 zombie, 11 signal", order{pid: zombie, signal: 10}, 10, unix.ESRCH},
		{"10 zombie, 12 access", order{pid: zombie, access: unix.EPERM}, 10, unix.ESRCH},
		{"10 zombie, 14 hint", order{pid: zombie, hint: outOfRange}, 10, unix.ESRCH},
		{"11 signal, 12 access", order{pid: plain, signal: 10, access: unix.EPERM}, 11, unix.EINVAL},
		{"11 files, 13 uts", order{pid: uts, flags: unix.CLONE_FILES}, 11, unix.EINVAL},
		{"12 access, 13 uts", order{pid: uts, access: unix.EPERM}, 12, unix.EPERM},
		{"12 access, 14 hint", order{pid: plain, hint: outOfRange, access: unix.EPERM}, 12, unix.EPERM},
		{"13 uts, 14 hint", order{pid: uts, hint: outOfRange}, 13, unix.EPERM},
		{"14 range, 14 privilege", order{pid: plain, hint: outOfRange}, 14, unix.EINVAL},
		{"14 privilege", order{pid: plain, hint: 299}, 14, unix.EPERM},
		{"none", order{pid: plain}, 0, 0},
	} {
		want(t, tc.name, a.PID(), tc.order, tc.row, tc.errno)
	}
}
