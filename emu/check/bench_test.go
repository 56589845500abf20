// SPDX-License-Identifier: Apache-2.0

package check

import (
	"testing"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/abi"
)

// BenchmarkCheck is what a call pays for its checks, the access check aside.
func BenchmarkCheck(b *testing.B) {
	a := newActor(b, 0)
	nested := newActor(b, unix.CLONE_NEWPID)
	for _, bc := range []struct {
		name      string
		tid       int
		pid, hint int
	}{
		{"self", a.PID(), a.PID(), 0},
		{"self with hint", a.PID(), a.PID(), 500},
		{"child", a.PID(), a.do("spawn plain"), 0},
		{"child with hint", a.PID(), a.do("spawn plain"), 500},
		{"container's init", a.PID(), a.do("spawn init"), 0},
		{"container's init with hint", a.PID(), a.do("spawn init"), 500},
		{"child inside a container", nested.PID(), nested.do("spawn plain"), 0},
	} {
		b.Run(bc.name, func(b *testing.B) {
			for b.Loop() {
				benchCheck(b, bc.tid, bc.pid, bc.hint)
			}
		})
	}
}

func benchCheck(b *testing.B, tid, pid, hint int) {
	from, err := OpenCaller(tid)
	if err != nil {
		b.Fatal(err)
	}
	c := &Call{
		Caller: from, Pid: pid, Hint: hint, Args: &abi.Args{ExitSignal: int(unix.SIGCHLD)},
		Access: func(int) unix.Errno { return 0 },
	}
	if errno := c.Check(); errno != 0 {
		b.Fatalf("%v: %s", errno, c.Cause)
	}
	c.Close()
	from.Close()
}
