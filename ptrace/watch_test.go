// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"encoding/binary"
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// TestAWatchedBatch: a tracee whose own filter is suspended makes the calls of a batch one by
// one, and none that it was not asked for.
func TestAWatchedBatch(t *testing.T) {
	codes := foreignCodes(t)
	for _, hold := range []bool{false, true} {
		i := withOwnFilter(t)
		i.Hold = hold
		b, err := i.NewBatch(64 << 10)
		if err != nil {
			t.Fatal(err)
		}
		runsOnce(t, b, i.TID)
		changesHands(t, b, codes)
	}
}

// foreignCodes make other calls than a tracee was asked for.
func foreignCodes(t *testing.T) map[string][]byte {
	t.Helper()
	codes := map[string][]byte{
		"another number":   {0xb8, unix.SYS_GETPPID, 0, 0, 0, 0x0f, 0x05}, // mov eax, nr; syscall
		"another argument": {0xbf, 0x6b, 0, 0, 0, 0x0f, 0x05},             // mov edi, 0153; syscall
	}
	int80 := []byte{0xcd, 0x80} // int 0x80
	if isCall(t, int80) {
		codes["32 bits"] = int80
	}
	return codes
}

// isCall reports whether code enters the kernel for a call. A guest whose host has no entry for
// 32-bit code is sent SIGSEGV at int 0x80.
func isCall(t *testing.T, code []byte) bool {
	t.Helper()
	cmd, _, _ := start(t, "cat")
	s := stopped(t, cmd.Process.Pid, Plain)
	i, err := s.Begin()
	if err != nil {
		t.Fatal(err)
	}
	const getpid = 20 // in 32-bit code
	if err := errors.Join(s.Write(uintptr(i.insn), code), s.SetRegs(forCall(i.saved, i.insn, getpid, nil))); err != nil {
		t.Fatal(err)
	}
	r, err := s.Syscall(0)
	if err != nil {
		t.Fatal(err)
	}
	_, stop, err := r.Wait()
	if err != nil || stop.Kind != Syscall && stop.Sig != unix.SIGSEGV {
		t.Fatalf("code % x met %+v, %v", code, stop, err)
	}
	return stop.Kind == Syscall
}

// withOwnFilter is a tracee with a filter more than all have, which allows everything.
func withOwnFilter(t *testing.T) *Injection {
	t.Helper()
	cmd, _, _ := start(t, "cat")
	s := stopped(t, cmd.Process.Pid, ForkOptions)
	if err := s.SetOptions(ForkOptions | SuspendSeccomp); err != nil {
		t.Skip(err)
	}
	for n := range CommonFilters() + 1 {
		i, err := s.Begin()
		if err != nil || i.watched {
			t.Fatalf("%d filters, all of them everybody's: watched %v, %v", n, i.watched, err)
		}
		installAllow(t, i)
		if err := i.End(); err != nil {
			t.Fatal(err)
		}
	}
	i, err := s.Begin()
	if err != nil || !i.watched {
		t.Fatalf("not watched: %v", err)
	}
	return i
}

func installAllow(t *testing.T, i *Injection) {
	t.Helper()
	const retAllow = 0x7fff0000<<32 | 0x06
	at, err := i.Args(nil)
	if err != nil {
		t.Fatal(err)
	}
	prog := binary.NativeEndian.AppendUint64(nil, 1)
	prog = binary.NativeEndian.AppendUint64(prog, uint64(at)+16)
	prog = binary.NativeEndian.AppendUint64(prog, retAllow)
	if _, err := i.Args(prog); err != nil {
		t.Fatal(err)
	}
	if _, err := i.Call(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := i.Call(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, at); err != nil {
		t.Fatal(err)
	}
}

// changesHands puts other code where the batch's calls are made.
func changesHands(t *testing.T, b *Batch, codes map[string][]byte) {
	t.Helper()
	i := b.i
	at := uintptr(i.insn)
	if i.Hold {
		at = b.base + syscallOff
	} else if i.slot != nil {
		at = i.slot.addr
	}
	before := make([]byte, 16)
	if err := i.Read(at, before); err != nil {
		t.Fatal(err)
	}
	for name, code := range codes {
		if err := i.Write(at, code); err != nil {
			t.Fatal(err)
		}
		b.Add(unix.SYS_UMASK, 0o77)
		if _, err := b.Run(); !errors.Is(err, ErrForeign) {
			t.Errorf("hold %v, %s: %v", i.Hold, name, err)
		}
		if err := i.Write(at, before); err != nil {
			t.Fatal(err)
		}
	}
	status, err := readProc(i.TID, "status")
	if err != nil || field(status, "\nUmask:\t", 8) != umask(t) {
		t.Errorf("hold %v: a call was made, %v", i.Hold, err)
	}
	runsOnce(t, b, i.TID)
}

// umask is this process's, which its children have.
func umask(t *testing.T) uint64 {
	t.Helper()
	status, err := readProc(os.Getpid(), "status")
	if err != nil {
		t.Fatal(err)
	}
	return field(status, "\nUmask:\t", 8)
}
