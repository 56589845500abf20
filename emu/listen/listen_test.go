// SPDX-License-Identifier: Apache-2.0

package listen

import (
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"cloneat-emu/ptrace"
)

// init keeps the main thread for the main goroutine: the runtime cannot end that
// thread, so a filter on it would never go away.
func init() { runtime.LockOSThread() }

// TestProgram interprets the filter for the calls that matter.
func TestProgram(t *testing.T) {
	raw, err := Program(nativeArch, NrCloneat, 508)
	if err != nil {
		t.Fatal(err)
	}
	prog, ok := bpf.Disassemble(raw)
	if !ok {
		t.Fatal("the filter does not disassemble")
	}
	vm, err := bpf.NewVM(prog)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		nr, arch uint32
		want     uint32
		arg4     uint64
	}{
		{"cloneat", 511, unix.AUDIT_ARCH_X86_64, unix.SECCOMP_RET_USER_NOTIF, 0},
		{"another that was asked for", 508, unix.AUDIT_ARCH_X86_64, unix.SECCOMP_RET_USER_NOTIF, 0},
		{"i386, asked for", 508, unix.AUDIT_ARCH_I386, unix.SECCOMP_RET_ALLOW, 0},
		{"number between", 509, unix.AUDIT_ARCH_X86_64, unix.SECCOMP_RET_ALLOW, 0},
		{"number below", 510, unix.AUDIT_ARCH_X86_64, unix.SECCOMP_RET_ALLOW, 0},
		{"number above", 512, unix.AUDIT_ARCH_X86_64, unix.SECCOMP_RET_ALLOW, 0},
		{"x32", 511 | 1<<30, unix.AUDIT_ARCH_X86_64, unix.SECCOMP_RET_ALLOW, 0},
		{"i386", 511, unix.AUDIT_ARCH_I386, unix.SECCOMP_RET_ALLOW, 0},
		{"read", 0, unix.AUDIT_ARCH_X86_64, unix.SECCOMP_RET_ALLOW, 0},
		{"the question", 511, unix.AUDIT_ARCH_X86_64, unix.SECCOMP_RET_ERRNO | uint32(unix.EXFULL), ptrace.SuspendedArg},
		{"half of it", 511, unix.AUDIT_ARCH_X86_64, unix.SECCOMP_RET_USER_NOTIF, ptrace.SuspendedArg & 0xffffffff},
		{"the other half", 511, unix.AUDIT_ARCH_X86_64, unix.SECCOMP_RET_USER_NOTIF, ptrace.SuspendedArg &^ 0xffffffff},
		{"to another call", 508, unix.AUDIT_ARCH_X86_64, unix.SECCOMP_RET_USER_NOTIF, ptrace.SuspendedArg},
	} {
		data := make([]byte, 64)
		// The interpreter reads big-endian words, as from a packet.
		for at, v := range map[int]uint32{0: c.nr, 4: c.arch, 40: uint32(c.arg4), 44: uint32(c.arg4 >> 32)} {
			binary.BigEndian.PutUint32(data[at:], v)
		}
		got, err := vm.Run(data)
		if err != nil || uint32(got) != c.want {
			t.Errorf("%s: %#x, %v; want %#x", c.name, got, err, c.want)
		}
	}
}

// filtered installs the filter on a new thread, returns its listener, and goes on to
// run f on that thread, which ends with f (nil: at once).
func filtered(t *testing.T, f func()) (listener int, got Features) {
	t.Helper()
	installed := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		var err error
		listener, got, err = Install()
		installed <- err
		if err == nil && f != nil {
			f()
		}
	}()
	if err := <-installed; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(listener) })
	return listener, got
}

// TestNotification answers two calls of another thread, one with a value, one with
// an error, and sees the listener hang up when that thread is gone.
func TestNotification(t *testing.T) {
	type result struct {
		value uintptr
		errno unix.Errno
		tid   int
	}
	results := make(chan result)
	listener, got := filtered(t, func() {
		for range 2 {
			v, _, errno := unix.Syscall6(NrCloneat, 1, 2, 3, 4, 5, 6)
			results <- result{v, errno, unix.Gettid()}
		}
	})
	if os.Geteuid() == 0 && got.NoNewPrivs {
		t.Error("root was given no_new_privs")
	}
	answers := []result{{value: 4711}, {errno: unix.EPERM}}
	for _, want := range answers {
		n, err := Recv(listener)
		if err != nil {
			t.Fatal(err)
		}
		if n.Args != [6]uint64{1, 2, 3, 4, 5, 6} {
			t.Errorf("arguments %v", n.Args)
		}
		if !Valid(listener, n.ID) || Valid(listener, n.ID+1000) {
			t.Error("Valid is wrong about a live or a made-up notification")
		}
		if err := Send(listener, n.ID, int64(want.value), want.errno); err != nil {
			t.Fatal(err)
		}
		got := <-results
		if got.errno != want.errno || want.errno == 0 && got.value != want.value || got.tid != n.TID {
			t.Errorf("got %+v, want %+v from thread %d", got, want, n.TID)
		}
		if err := Send(listener, n.ID, 0, 0); !Gone(err) {
			t.Errorf("answering twice: %v", err)
		}
	}
	if err := WaitUnused(listener, -1); err != nil || !Unused(listener) {
		t.Errorf("after the last user: %v, unused: %v", err, Unused(listener))
	}
}

// TestWake ends a WaitUnused from outside.
func TestWake(t *testing.T) {
	done := make(chan struct{})
	listener, _ := filtered(t, func() { <-done })
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	time.AfterFunc(10*time.Millisecond, func() { w.Close() })
	if err := WaitUnused(listener, int(r.Fd())); err != nil || Unused(listener) {
		t.Errorf("woken: %v, unused: %v", err, Unused(listener))
	}
	close(done)
}

// TestSecondListener: the kernel's EBUSY comes with words.
func TestSecondListener(t *testing.T) {
	second := make(chan error)
	filtered(t, func() { _, _, err := Install(); second <- err })
	if err := <-second; !errors.Is(err, ErrListenerExists) || !errors.Is(err, unix.EBUSY) {
		t.Errorf("second filter: %v", err)
	}
}

// TestPass sends a descriptor with a message through a socketpair.
func TestPass(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pair[1])
	r, w, _ := os.Pipe()
	if err := SendFD(pair[0], int(w.Fd()), []byte("hello")); err != nil {
		t.Fatal(err)
	}
	w.Close()
	unix.Close(pair[0])
	buf := make([]byte, 16)
	f, n, err := RecvFD(pair[1], buf)
	if err != nil || f == nil || string(buf[:n]) != "hello" {
		t.Fatalf("%v %q %v", f, buf[:n], err)
	}
	if fl, _ := unix.FcntlInt(f.Fd(), unix.F_GETFD, 0); fl&unix.FD_CLOEXEC == 0 {
		t.Error("the descriptor survives an exec")
	}
	f.WriteString("x")
	f.Close()
	got := make([]byte, 4)
	if n, err := r.Read(got); n != 1 || err != nil {
		t.Errorf("through the passed descriptor: %d, %v", n, err)
	}
	if f, n, err := RecvFD(pair[1], buf); f != nil || n != 0 || err != nil {
		t.Errorf("after close: %v %d %v", f, n, err)
	}
}

// TestUnprivileged: without CAP_SYS_ADMIN the filter costs no_new_privs.
func TestUnprivileged(t *testing.T) {
	if os.Getenv("LISTEN_UNPRIVILEGED") != "" {
		if _, got := filtered(t, nil); !got.NoNewPrivs {
			t.Error("no_new_privs was not needed")
		}
		return
	}
	exe := t.TempDir() + "/test"
	data, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(exe, data, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run=TestUnprivileged", "-test.v")
	cmd.Env = append(os.Environ(), "LISTEN_UNPRIVILEGED=1")
	if os.Geteuid() == 0 {
		cmd = asNobody(t, cmd, exe)
	}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "PASS: TestUnprivileged") {
		t.Fatalf("%v\n%s", err, out)
	}
}
