// SPDX-License-Identifier: Apache-2.0

package pidhint

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"cloneat-emu/internal/reexec"
	"cloneat-emu/ptrace"
)

// place is a pid namespace with an init that makes processes on demand.
type place struct {
	*reexec.Process
	t  *testing.T
	ns Namespace
}

func newPlace(t *testing.T) *place {
	t.Helper()
	p := &place{t: t, Process: reexec.Start(t, "init", func(c *exec.Cmd) {
		c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID}
	})}
	if got := p.Line(); got != "ready" {
		t.Fatalf("init says %q", got)
	}
	p.ns = openNS(t, p.PID())
	return p
}

func openNS(t *testing.T, pid int) Namespace {
	t.Helper()
	f, err := os.Open(fmt.Sprintf("/proc/%d/ns/pid", pid))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return Namespace{PID: f}
}

// ask makes init make something and returns its number in the namespace.
func (p *place) ask(what string) int {
	p.t.Helper()
	p.Tell("%s", what)
	return p.Number()
}

// traced stops the process for a function, and lets it go again. Its other
// threads stand still meanwhile: the Go runtime's would take numbers.
func traced(t *testing.T, pid int, do func(*maker)) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	stopped := map[int]*ptrace.Stopped{}
	for more := true; more; {
		more = false
		for _, tid := range threadsOf(t, pid) {
			if stopped[tid] == nil {
				stopped[tid], more = stop(t, tid), true
			}
		}
	}
	defer func() {
		for tid, s := range stopped {
			if err := s.Detach(0); err != nil {
				t.Errorf("thread %d: %v", tid, err)
			}
		}
	}()
	i, err := stopped[pid].Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := i.End(); err != nil {
			t.Error(err)
		}
	}()
	do(&maker{i: i})
}

func stop(t *testing.T, tid int) *ptrace.Stopped {
	t.Helper()
	r, err := ptrace.Seize(tid, ptrace.ForkOptions)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Interrupt(); err != nil {
		t.Fatal(err)
	}
	for {
		s, at, err := r.Wait()
		if err != nil {
			t.Fatal(err)
		}
		if at.Kind == ptrace.Interrupt {
			return s
		}
		if r, err = s.Cont(int(at.Sig)); err != nil { // a signal came before
			t.Fatal(err)
		}
	}
}

// threadsOf are the numbers of the process's threads, as this process sees them.
func threadsOf(t *testing.T, pid int) (tids []int) {
	t.Helper()
	all, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		if tid, err := strconv.Atoi(e.Name()); err == nil {
			tids = append(tids, tid)
		}
	}
	return tids
}

// maker makes plain forks of a tracee.
type maker struct {
	i       *ptrace.Injection
	want    int        // for set_tid
	fails   unix.Errno // what Make fails with
	probes  unix.Errno // what Probe finds
	before  func()     // called before each clone
	child   *ptrace.Stopped
	number  int
	made    int
	dropped int
}

func (m *maker) Make(setTID bool) (int, error) {
	if m.fails != 0 {
		return 0, m.fails
	}
	if m.before != nil {
		m.before()
	}
	var err error
	if m.child, err = m.clone(setTID); err != nil {
		return 0, err
	}
	m.made++
	ids, err := nsPID(m.child.TID)
	if err != nil {
		return 0, err
	}
	m.number = ids[len(ids)-1]
	return m.number, m.child.SetOptions(unix.PTRACE_O_EXITKILL)
}

func (m *maker) clone(setTID bool) (*ptrace.Stopped, error) {
	if !setTID {
		return m.i.Fork(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0)
	}
	at, err := m.i.Args(nil)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	args := [11]uint64{4: uint64(unix.SIGCHLD), 8: uint64(at) + 88, 9: 1} // struct clone_args
	_ = binary.Write(&b, binary.LittleEndian, args)
	_ = binary.Write(&b, binary.LittleEndian, int32(m.want))
	if _, err := m.i.Args(b.Bytes()); err != nil {
		return nil, err
	}
	return m.i.Fork(unix.SYS_CLONE3, at, 88)
}

func (m *maker) Drop() error {
	m.dropped++
	m.child.Kill()
	if _, err := m.i.Finish(); err != nil {
		return err
	}
	_, err := m.i.Call(unix.SYS_WAIT4, uintptr(m.number), 0, unix.WALL, 0)
	return err
}

// next makes a child with the next number, and ends it.
func (m *maker) next(t *testing.T) int {
	t.Helper()
	number, err := m.Make(false)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Drop(); err != nil {
		t.Fatal(err)
	}
	return number
}

func (m *maker) Probe() error {
	if m.probes != 0 {
		return m.probes
	}
	return nil
}

// nsPID are the numbers of a thread, the outermost namespace's first.
func nsPID(tid int) (ids []int, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", tid))
	if err != nil {
		return nil, err
	}
	_, rest, _ := strings.Cut(string(b), "NSpid:")
	line, _, _ := strings.Cut(rest, "\n")
	for _, word := range strings.Fields(line) {
		n, err := strconv.Atoi(word)
		if err != nil {
			return nil, err
		}
		ids = append(ids, n)
	}
	return ids, nil
}

// children are the processes below pid, zombies too.
func children(t *testing.T, pid int) (list []string) {
	t.Helper()
	all, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		b, err := os.ReadFile("/proc/" + e.Name() + "/status")
		if err == nil && strings.Contains(string(b), fmt.Sprintf("\nPPid:\t%d\n", pid)) {
			list = append(list, e.Name())
		}
	}
	return list
}

// descriptors counts what this process has open.
func descriptors(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}
