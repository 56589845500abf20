// SPDX-License-Identifier: Apache-2.0

package emu_test

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"cloneat-emu/ptrace"
)

// A way to attack somebody; undo is called some time later.
type way struct {
	name string
	do   func(s *scene, v victim) (undo func())
	on   string // those that it is for, in words; "" for all
	says string // how the line begins that the victim says then, if it is the caller; "" for none
	not  func(play) bool
}

var ways = []way{
	{name: "kill", do: kill, on: "caller target child child2 giver company father"},
	{name: "stop", do: stop, on: "caller target child child2 giver company"},
	{name: "pause", do: pause, on: "caller target child child2 giver company"},
	{name: "freeze", do: freeze, on: "caller target child child2 giver company"},
	{name: "exec", do: tells("e"), on: "caller-other target-other"},
	{name: "noexec", do: tells("b"), on: "caller-other target-other"},
	{name: "drop", do: tells("u"), on: "caller-other target-other"},
	{name: "leave", do: tells("x"), on: "target"},
	{name: "close", do: tells("f"), on: "caller-other target-other", not: func(p play) bool { return p.waits == "epoll" }},
	{name: "unmap", do: tells("v"), on: "caller-other", not: beside},
	{name: "second", do: tells("d"), on: "caller-other", says: "second "},
	{name: "trace", do: trace},
	{name: "signals", do: signals, on: "caller caller-other target target-other child"},
	{name: "group", do: killGroup, on: "caller target", not: play.headless},
	{name: "files", do: limit(unix.RLIMIT_NOFILE, 3), on: limited},
	{name: "memory", do: limit(unix.RLIMIT_AS, 1<<20), on: limited},
	{name: "processes", do: limit(unix.RLIMIT_NPROC, 1), on: limited},
	{name: "nice", do: nice, on: limited},
}

// beside: the caller of a target that shares its memory is asked for its rights, and its other threads
// run behind that. Code of ours lies beside its vdso, as it does in a target whose call was
// interrupted: who unmaps it then ends with SIGSEGV.
func beside(p play) bool { return p.kind == "shared" }

// limited are the processes whose limits somebody changes.
const limited = "caller target child child2 giver"

const (
	burst = 10                    // signals of each kind
	lasts = 40 * time.Millisecond // what can be taken back
)

func kill(_ *scene, v victim) func() {
	_ = unix.Kill(v.pid, unix.SIGKILL)
	return func() {}
}

func stop(_ *scene, v victim) func() {
	_ = unix.Kill(v.pid, unix.SIGSTOP)
	return func() { _ = unix.Kill(v.pid, unix.SIGCONT) }
}

// pause is a stop that may be over before it is seen.
func pause(_ *scene, v victim) func() {
	_ = unix.Kill(v.pid, unix.SIGSTOP)
	_ = unix.Kill(v.pid, unix.SIGCONT)
	return func() {}
}

// tells has a thread do something by itself, as soon as it can.
func tells(what string) func(*scene, victim) func() {
	return func(s *scene, v victim) func() {
		s.tell(v.fd, what)
		return func() {}
	}
}

func signals(_ *scene, v victim) func() {
	const first = 34 // SIGRTMIN
	for range burst {
		_ = unix.Kill(v.pid, first+1)
		if v.blocks {
			_ = unix.Kill(v.pid, first+2)
		} else {
			_ = unix.Tgkill(v.pid, v.tid, first+2)
		}
	}
	return func() {}
}

// trace attaches, if it is let, and looks at the thread for a while.
func trace(_ *scene, v victim) func() {
	over, gone := make(chan bool), make(chan bool)
	seized := make(chan bool)
	go func() {
		defer close(gone)
		runtime.LockOSThread() // for good: the thread's end lets everybody go
		r, err := ptrace.Seize(v.tid, 0)
		close(seized)
		if err != nil {
			return
		}
		<-over
		if r.Interrupt() != nil {
			return
		}
		if stopped, _, err := r.Wait(); err == nil {
			_ = stopped.Detach(0)
		}
	}()
	select {
	case <-seized:
	case <-time.After(100 * time.Millisecond): // it waits for an exec
	}
	return func() { close(over); <-gone }
}
