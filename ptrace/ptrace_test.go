// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// start runs a command that is stopped at the end of the test.
func start(t *testing.T, name string, args ...string) (*exec.Cmd, io.WriteCloser, *bytes.Buffer) {
	t.Helper()
	cmd := exec.Command(name, args...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd, in, &out
}

// stopped seizes and stops tid on the test's own OS thread.
func stopped(t *testing.T, tid, options int) *Stopped {
	t.Helper()
	runtime.LockOSThread()
	t.Cleanup(runtime.UnlockOSThread)
	r, err := Seize(tid, options)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Interrupt(); err != nil {
		t.Fatal(err)
	}
	s, stop, err := r.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if stop.Kind != Interrupt {
		t.Fatalf("stop %+v, want an interrupt", stop)
	}
	return s
}

// blockedIn waits until tid sleeps in call nr.
func blockedIn(t *testing.T, tid int, nr string) {
	t.Helper()
	for {
		b, err := os.ReadFile("/proc/" + strconv.Itoa(tid) + "/syscall")
		if err != nil {
			t.Fatal(err)
		}
		if bytes.HasPrefix(b, []byte(nr+" ")) {
			return
		}
		runtime.Gosched()
	}
}

func TestInjectedCallLeavesABlockedReadAlone(t *testing.T) {
	cmd, in, out := start(t, "cat")
	pid := cmd.Process.Pid
	blockedIn(t, pid, "0")
	s := stopped(t, pid, ForkOptions)
	before, err := s.Regs()
	if err != nil {
		t.Fatal(err)
	}
	i, err := s.Begin()
	if err != nil {
		t.Fatal(err)
	}
	got, err := i.Call(unix.SYS_GETPID)
	if err != nil || int(got) != pid {
		t.Fatalf("injected getpid = %d, %v; want %d", got, err, pid)
	}
	if _, err := i.Call(unix.SYS_CLOSE, 1000); !errors.Is(err, unix.EBADF) {
		t.Fatalf("injected close(1000): %v, want EBADF", err)
	}
	if err := i.End(); err != nil {
		t.Fatal(err)
	}
	after, err := s.Regs()
	if err != nil || before != after {
		t.Fatalf("registers differ (%v):\n%+v\n%+v", err, before, after)
	}
	if err := s.Detach(0); err != nil {
		t.Fatal(err)
	}
	echoes(t, cmd, in, out)
}

// echoes demands that a cat goes on as if it had never been a tracee.
func echoes(t *testing.T, cmd *exec.Cmd, in io.WriteCloser, out *bytes.Buffer) {
	t.Helper()
	if _, err := in.Write([]byte("hello\n")); err != nil {
		t.Fatal(err)
	}
	in.Close()
	if err := cmd.Wait(); err != nil || out.String() != "hello\n" {
		t.Fatalf("cat after the injection: %v, %q", err, out)
	}
}

// forked opens a scope in s and makes it fork.
func forked(t *testing.T, s *Stopped) (*Injection, *Stopped) {
	t.Helper()
	i, err := s.Begin()
	if err != nil {
		t.Fatal(err)
	}
	child, err := i.Fork(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	return i, child
}

func TestForkReturnsAStoppedChildAndItsNumber(t *testing.T) {
	cmd, _, _ := start(t, "cat")
	pid := cmd.Process.Pid
	s := stopped(t, pid, ForkOptions)
	i, child := forked(t, s)
	if got := parentOf(t, child.TID); got != pid {
		t.Errorf("the child's parent is %d, want %d", got, pid)
	}
	got, err := i.Finish()
	if err != nil || int(got) != child.TID {
		t.Errorf("clone returned %d, %v; want %d", got, err, child.TID)
	}
	child.Kill()
	if err := i.End(); err != nil {
		t.Fatal(err)
	}
	if err := s.Detach(0); err != nil {
		t.Fatal(err)
	}
}

func TestBatchRunsItsCallsInOrderAndStopsAtTheFirstError(t *testing.T) {
	cmd, _, _ := start(t, "cat")
	s := stopped(t, cmd.Process.Pid, ForkOptions)
	i, err := s.Begin()
	if err != nil {
		t.Fatal(err)
	}
	b, err := i.NewBatch(64 << 10)
	if err != nil {
		t.Fatal(err)
	}
	name, err := b.Data([]byte("/proc/self/stat\x00"))
	if err != nil {
		t.Fatal(err)
	}
	b.Add(unix.SYS_GETPID)
	b.AddLoose(unix.SYS_CLOSE, 1000)
	b.Add(unix.SYS_OPENAT, ^uintptr(0), name, unix.O_RDONLY) // an absolute path: no folder is needed
	b.Add(unix.SYS_CLOSE, 1001)
	b.Add(unix.SYS_GETPID)
	res, err := b.Run()
	if !errors.Is(err, unix.EBADF) || len(res) != 4 {
		t.Fatalf("batch: %v, %d results; want EBADF of the fourth", err, len(res))
	}
	if int(res[0].Value) != cmd.Process.Pid || res[1].Errno != unix.EBADF || res[2].Errno != 0 {
		t.Errorf("results %+v", res)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if err := errors.Join(i.End(), s.Detach(0)); err != nil {
		t.Fatal(err)
	}
}

func TestASlotIsZeroAgain(t *testing.T) {
	cmd, _, _ := start(t, "cat")
	s := stopped(t, cmd.Process.Pid, ForkOptions)
	i, err := s.Begin()
	if err != nil {
		t.Fatal(err)
	}
	at, err := i.Args([]byte("arguments"))
	if err != nil {
		t.Fatal(err)
	}
	got := make([]byte, guardSize)
	if err := s.Read(at, got[:9]); err != nil || string(got[:9]) != "arguments" {
		t.Fatalf("read %q, %v", got, err)
	}
	if _, err := i.Call(unix.SYS_GETPID); err != nil {
		t.Fatal(err)
	}
	if err := i.End(); err != nil {
		t.Fatal(err)
	}
	if err := s.Read(at-guardArgs, got); err != nil || !bytes.Equal(got, make([]byte, guardSize)) {
		t.Fatalf("after End %q, %v", got, err)
	}
	if next, err := s.claim([]byte{0xf4}); err != nil || next.addr != at-guardArgs {
		t.Fatalf("the next one is %+v, %v; the first was at %#x", next, err, at-guardArgs)
	} else if err := next.wipe(s); err != nil {
		t.Fatal(err)
	}
	if err := s.Detach(0); err != nil {
		t.Fatal(err)
	}
}

func TestArgumentsHaveAPageWhereTheVDSOHasNoRoom(t *testing.T) {
	defer func(n int) { slotMemory = n }(slotMemory)
	slotMemory = 0
	cmd, in, out := start(t, "cat")
	blockedIn(t, cmd.Process.Pid, "0")
	s := stopped(t, cmd.Process.Pid, ForkOptions)
	before, err := os.ReadFile("/proc/" + strconv.Itoa(s.TID) + "/maps")
	if err != nil {
		t.Fatal(err)
	}
	i, err := s.Begin()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"/proc/self\x00", "/nowhere\x00"} {
		at, err := i.Args([]byte(name))
		if err != nil {
			t.Fatal(err)
		}
		_, err = i.Call(unix.SYS_FACCESSAT, ^uintptr(0), at, 0)
		if (err == nil) != (name == "/proc/self\x00") {
			t.Errorf("faccessat(%q): %v", name, err)
		}
	}
	if err := errors.Join(i.End(), s.Detach(0)); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/maps")
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("mappings changed (%v):\n%s\n%s", err, before, after)
	}
	if _, err := in.Write([]byte("hello\n")); err != nil {
		t.Fatal(err)
	}
	in.Close()
	if err := cmd.Wait(); err != nil || out.String() != "hello\n" {
		t.Errorf("cat after it: %v, %q", err, out)
	}
}

// TestArgumentsStayWhereTheyAre: a slot is given back by another tracee in the same
// memory after the page was mapped for want of one.
func TestArgumentsStayWhereTheyAre(t *testing.T) {
	defer func(n int) { slotMemory = n }(slotMemory)
	slotMemory = 0
	cmd, _, _ := start(t, "cat")
	s := stopped(t, cmd.Process.Pid, ForkOptions)
	i, err := s.Begin()
	if err != nil {
		t.Fatal(err)
	}
	before, err := i.Args(nil)
	if err != nil {
		t.Fatal(err)
	}
	slotMemory = guardSize
	if _, err := i.Call(unix.SYS_GETPID); err != nil {
		t.Fatal(err)
	}
	if i.slot == nil {
		t.Error("the call did not take the slot")
	}
	if after, err := i.Args([]byte("arguments")); err != nil || after != before {
		t.Errorf("arguments at %#x, then at %#x (%v)", before, after, err)
	}
	if err := errors.Join(i.End(), s.Detach(0)); err != nil {
		t.Fatal(err)
	}
}

func TestAKilledTraceeIsGone(t *testing.T) {
	cmd, _, _ := start(t, "cat")
	s := stopped(t, cmd.Process.Pid, ForkOptions)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	i, err := s.Begin()
	if err == nil {
		_, err = i.Call(unix.SYS_GETPID)
	}
	if !Gone(err) {
		t.Fatalf("error %v, want one that Gone knows", err)
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the exit status was lost")
	}
}

func parentOf(t *testing.T, pid int) int {
	t.Helper()
	b, err := readProc(pid, "status")
	if err != nil {
		t.Fatal(err)
	}
	return decField(b, ppidField)
}

// TestProtectedMemoryWhereTheFileIsRefused: the kernel can forbid all to overrule protections
// through /proc/PID/mem (EIO), but not a tracer by its requests.
func TestProtectedMemoryWhereTheFileIsRefused(t *testing.T) {
	cmd, in, out := start(t, "cat")
	s := stopped(t, cmd.Process.Pid, 0)
	at, err := s.vdsoAt()
	if err != nil {
		t.Fatal(err)
	}
	was := make([]byte, 19)
	if err := s.Read(uintptr(at), was); err != nil {
		t.Fatal(err)
	}
	refused := func(int, []byte, int64) (int, error) { return 0, unix.EIO }
	want := bytes.Repeat([]byte{0xcc}, len(was))
	got := make([]byte, len(was))
	if err := s.accessBy(0, uintptr(at), want, refused, unix.PtracePokeData); err != nil {
		t.Fatal(err)
	}
	if err := s.accessBy(0, uintptr(at), got, refused, unix.PtracePeekData); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%x, %v; want %x", got, err, want)
	}
	if err := s.Write(uintptr(at), was); err != nil {
		t.Fatal(err)
	}
	if err := s.Detach(0); err != nil {
		t.Fatal(err)
	}
	echoes(t, cmd, in, out)
}
