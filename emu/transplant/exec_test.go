// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"cloneat-emu/emu/proc"
	"cloneat-emu/ptrace"
	"cloneat-emu/tests/built"

	"golang.org/x/sys/unix"
)

// A thread of the caller executes a program while another one calls. Each test holds one
// side at the one place that matters, and goes on when the other is where it has to be.

// TestExecNeedsReaping: the exec has killed a stopped thread, and waits until it is
// reaped, when its own thread is to be seized. With one processor, as with a collection of
// garbage that begins meanwhile, nobody used to be there to reap it.
func TestExecNeedsReaping(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	e := startExecs(t, "1")
	leader, frozen, execing := e.tids[0], e.tids[1], e.tids[2]
	e.isExecuted(t, func() error {
		for _, tid := range []int{leader, frozen} {
			if _, err := hold(tid, 0); err != nil {
				return err
			}
		}
		e.execute(t)
		await(t, func() bool { return state(execing) == 'D' && state(frozen) == 'Z' })
		_, err := ptrace.StopBeside(execing, 0, []int{leader, frozen}, nil)
		return err
	})
}

// TestSeizeWaitsForExec: nobody is stopped but the calling leader, which needs no reaping.
// SEIZE waits for the exec to end and then has the new program, by the leader's number.
func TestSeizeWaitsForExec(t *testing.T) {
	e := startExecs(t, "0", "one more")
	leader, execing, last := e.tids[0], e.tids[1], e.tids[2]
	tracer := make(chan int)
	hold := onThread(func() error { // keeps the last thread from being reaped until SEIZE waits
		r, err := ptrace.Seize(last, 0)
		tracer <- 0
		if err != nil {
			return err
		}
		seizing := fmt.Sprintf("%d %#x %#x ", unix.SYS_PTRACE, unix.PTRACE_SEIZE, execing)
		file := fmt.Sprintf("/proc/self/task/%d/syscall", <-tracer)
		await(t, func() bool {
			b, _ := os.ReadFile(file)
			return strings.HasPrefix(string(b), seizing)
		})
		if _, _, err := r.Wait(); !ptrace.Gone(err) {
			return fmt.Errorf("the thread that the exec killed: %v", err)
		}
		return nil
	})
	<-tracer
	e.freeze(t, func() {
		e.execute(t)
		await(t, func() bool { return state(execing) == 'D' && state(last) == 'Z' && state(leader) == 'Z' })
		tracer <- unix.Gettid()
	}, nil)
	if err := <-hold; err != nil {
		t.Error(err)
	}
}

// TestExecIsInterrupted: the thread was seized and interrupted before its exec took the
// mutex that keeps tracers out, and stops as the new program, by the leader's number.
func TestExecIsInterrupted(t *testing.T) {
	e := startExecs(t, "0")
	execing := e.tids[1]
	opening := guardOpening(t, e.cmd.Path)
	e.freeze(t, func() {
		e.execute(t)
		opening.await(t)
	}, func(tid int) {
		opening.allow(t)
		await(t, func() bool { return state(execing) == 0 })
	})
}

// execs is a process of testdata/execs.c.
type execs struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	tids []int // as they were made
}

func startExecs(t *testing.T, argv ...string) *execs {
	t.Helper()
	cmd := exec.Command(program(t, "execs", "-pthread", "-static"), argv...)
	in, out := built.Talk(t, cmd)
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	e := &execs{cmd: cmd, in: in, out: out}
	built.Says(t, e.out, "ready")
	var err error
	if e.tids, err = threadsOf(cmd.Process.Pid); err != nil {
		t.Fatal(err)
	}
	return e
}

func (e *execs) execute(t *testing.T) {
	if _, err := e.in.Write([]byte{0}); err != nil {
		t.Error(err)
	}
}

// freeze stops the leader as a caller, then its other threads.
func (e *execs) freeze(t *testing.T, before func(), awaited func(tid int)) {
	t.Helper()
	e.isExecuted(t, func() error {
		caller, err := hold(e.tids[0], unix.PTRACE_O_TRACESYSGOOD)
		if err != nil {
			return err
		}
		before()
		_, err = Freeze(caller, Others{Awaited: awaited})
		return err
	})
}

// isExecuted wants a tracer to be told of the exec, and the new program to be left alone.
func (e *execs) isExecuted(t *testing.T, trace func() error) {
	t.Helper()
	if err := <-onThread(trace); !errors.Is(err, ptrace.ErrExecuted) {
		t.Errorf("stopping the caller's threads: %v, want %v", err, ptrace.ErrExecuted)
	}
	built.Says(t, e.out, "executed")
	e.in.Close()
	if err := e.cmd.Wait(); err != nil {
		t.Errorf("the new program: %v", err)
	}
}

// The main thread never ends (mexit() in runtime/proc.go), and is kept from onThread.
func init() { runtime.LockOSThread() }

// onThread runs f on a thread that ends with it, and lets go of all that it traces.
func onThread(f func() error) <-chan error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		done <- f()
	}()
	return done
}

func await(t *testing.T, there func() bool) {
	for end := time.Now().Add(hang); !there(); time.Sleep(100 * time.Microsecond) {
		if time.Now().After(end) {
			t.Error("what is waited for does not come")
			return
		}
	}
}

// state is a thread's as in proc(5), 0 if there is none.
func state(tid int) byte {
	b, err := readProc(tid, "stat")
	if err != nil {
		return 0
	}
	st, err := proc.ParseStat(b)
	if err != nil {
		return 0
	}
	return st.State
}

// guard lets nobody execute a file without asking.
type guard struct {
	fd   int
	file int32
}

func guardOpening(t *testing.T, path string) *guard {
	t.Helper()
	fd, err := unix.FanotifyInit(unix.FAN_CLASS_CONTENT|unix.FAN_CLOEXEC, unix.O_RDONLY|unix.O_CLOEXEC)
	if err == nil {
		t.Cleanup(func() { unix.Close(fd) }) // lets everybody go on
		err = unix.FanotifyMark(fd, unix.FAN_MARK_ADD, unix.FAN_OPEN_EXEC_PERM, unix.AT_FDCWD, path)
	}
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EINVAL) {
		t.Skip("a kernel without CONFIG_FANOTIFY_ACCESS_PERMISSIONS")
	}
	if err != nil {
		t.Fatal(err)
	}
	return &guard{fd: fd, file: -1}
}

// await waits for somebody who executes the file.
func (g *guard) await(t *testing.T) {
	const fdOffset = 16 // in struct fanotify_event_metadata
	var b [24]byte
	n, err := unix.Read(g.fd, b[:])
	if n != len(b) {
		t.Errorf("reading from fanotify: %d bytes, %v", n, err)
		return
	}
	g.file = int32(binary.NativeEndian.Uint32(b[fdOffset:]))
}

// allow lets it go on.
func (g *guard) allow(t *testing.T) {
	if g.file < 0 {
		return
	}
	b := binary.NativeEndian.AppendUint32(nil, uint32(g.file))
	b = binary.NativeEndian.AppendUint32(b, unix.FAN_ALLOW)
	if _, err := unix.Write(g.fd, b); err != nil {
		t.Error(err)
	}
	unix.Close(int(g.file))
	g.file = -1
}
