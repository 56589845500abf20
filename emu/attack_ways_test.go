// SPDX-License-Identifier: Apache-2.0

package emu_test

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
	"cloneat-emu/ptrace"
)

// victim is a thread that meets an attack, and what it obeys.
type victim struct {
	pid, tid, fd int
	blocks       bool // all signals
}

// A way to attack somebody; undo is called some time later.
type way struct {
	name string
	do   func(s *scene, v victim) (undo func())
	on   string // those that it is for, in words; "" for all
}

var ways = []way{
	{"kill", kill, "caller target child child2"},
	{"stop", stop, "caller target child child2"},
	{"freeze", freeze, "caller target child child2"},
	{"exec", tells("e"), "caller-other target-other"},
	{"drop", tells("u"), "caller-other target-other"},
	{"leave", tells("x"), "target"},
	{"trace", trace, ""},
	{"signals", signals, "caller caller-other target target-other child"},
}

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

// freeze puts the process into a frozen control group.
func freeze(s *scene, v victim) func() {
	group, home := cgroup(s.t), cgroupOf(s.t, v.pid)
	write(s.t, group+"/cgroup.freeze", "1")
	write(s.t, group+"/cgroup.procs", strconv.Itoa(v.pid))
	return func() {
		write(s.t, group+"/cgroup.freeze", "0")
		for _, pid := range append(below(v.pid), v.pid) {
			if st := statOf(pid); st != nil && !st.Exiting() {
				_ = os.WriteFile(home+"/cgroup.procs", []byte(strconv.Itoa(pid)), 0)
			}
		}
	}
}

// cgroup is a new control group, which goes with the test.
func cgroup(t *testing.T) string {
	t.Helper()
	group, err := os.MkdirTemp(unified(t), "attack-")
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() {
		for end := time.Now().Add(bound); time.Now().Before(end) && unix.Rmdir(group) == unix.EBUSY; {
			time.Sleep(time.Millisecond)
		}
	})
	return group
}

func unified(t *testing.T) string {
	t.Helper()
	mounts, err := proc.MountedCgroups()
	if err != nil {
		t.Fatal(err)
	}
	at, mounted := mounts.At("")
	if !mounted {
		t.Skip("no such control groups here")
	}
	return at
}

func cgroupOf(t *testing.T, pid int) string {
	t.Helper()
	dir, err := proc.Open(pid)
	if err != nil {
		return unified(t)
	}
	defer dir.Close()
	entries, _ := dir.Cgroups()
	for _, e := range entries {
		if e.Controllers == "" {
			return unified(t) + e.Path
		}
	}
	return unified(t)
}

func write(t *testing.T, file, value string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(value), 0); err != nil {
		t.Error(fmt.Errorf("%s to %s: %w", value, file, err))
	}
}
