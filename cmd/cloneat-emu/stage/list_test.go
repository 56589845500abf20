// SPDX-License-Identifier: Apache-2.0

package stage

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

// entries makes a list of calls.
func entries(t *testing.T, m *Machine, calls ...[]uintptr) []Entry {
	t.Helper()
	var list []Entry
	for _, c := range calls {
		e, err := m.NewEntry(nil, uint64(c[0]), c[1:]...)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) > 0 {
			list[len(list)-1].Then(e)
		}
		list = append(list, e)
	}
	return list
}

func TestListEndsBehindWhatFails(t *testing.T) {
	m, task, cmd := begin(t)
	list := entries(t, m, []uintptr{unix.SYS_GETPID}, []uintptr{unix.SYS_CLOSE, 999}, []uintptr{unix.SYS_GETPPID})
	task.StartList(list[0])
	if _, err := task.Finish(); err != unix.EBADF {
		t.Errorf("the list: %v, want EBADF", err)
	}
	if pid, err := list[0].Result(); err != nil || int(pid) != cmd.Process.Pid {
		t.Errorf("getpid: %d, %v", pid, err)
	}
	if _, err := list[1].Result(); err != unix.EBADF {
		t.Errorf("close: %v", err)
	}
	if _, err := list[2].Result(); list[2].Made() || !errors.Is(err, ErrGone) {
		t.Errorf("what comes behind was made: %v", err)
	}
	next, more := list[1].Next()
	if !more || next != list[2] {
		t.Fatalf("behind close is %v, %t", next, more)
	}
	task.StartList(next)
	if _, err := task.Finish(); err != nil || !list[2].Made() {
		t.Errorf("the rest: %v", err)
	}
}

func TestListOfWhoIsNotBornYet(t *testing.T) {
	m, task, _ := begin(t)
	child := m.NewTask()
	list := entries(t, m, []uintptr{unix.SYS_GETPPID}, []uintptr{unix.SYS_GETPID})
	child.StartList(list[0])
	pid, err := task.Clone(child, unix.SYS_CLONE, uintptr(unix.SIGCHLD))
	if err != nil {
		t.Fatal(err)
	}
	if own, err := child.Finish(); err != nil || int(own) != pid {
		t.Errorf("the child is %d and says %d, %v", pid, own, err)
	}
	if _, err := child.Call(unix.SYS_GETPID); err != nil {
		t.Errorf("an order behind it: %v", err)
	}
	child.Start(nil, unix.SYS_EXIT_GROUP, 0)
	if _, err := task.Call(unix.SYS_WAIT4, uintptr(pid), 0, 0, 0); err != nil {
		t.Error(err)
	}
}

func TestHaltEndsLists(t *testing.T) {
	m, task, _ := begin(t)
	list := entries(t, m, []uintptr{unix.SYS_GETPID}, []uintptr{unix.SYS_GETPPID})
	m.Halt()
	task.StartList(list[0])
	if _, err := task.Finish(); err != nil || !list[0].Made() || list[1].Made() {
		t.Errorf("made %t and %t, %v", list[0].Made(), list[1].Made(), err)
	}
	if _, err := task.Call(unix.SYS_GETPID); err != nil {
		t.Errorf("a single call: %v", err)
	}
}
