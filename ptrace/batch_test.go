// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"encoding/binary"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestABatchGoesOnFromItsTrap: a child in the making runs one list after another,
// whether it stands behind the trap of the last one or a call has been made since.
func TestABatchGoesOnFromItsTrap(t *testing.T) {
	cmd, _, _ := start(t, "cat")
	s := stopped(t, cmd.Process.Pid, ForkOptions)
	i, child := forked(t, s)
	defer child.Kill()
	if err := i.Settle(child, false); err != nil {
		t.Fatal(err)
	}
	inChild, err := child.Begin()
	if err != nil {
		t.Fatal(err)
	}
	inChild.Hold = true
	b, err := inChild.NewBatch(64 << 10)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 4 {
		runsOnce(t, b, child.TID)
		if n%2 == 0 {
			continue
		}
		if got, err := inChild.Call(unix.SYS_GETPID); err != nil || int(got) != child.TID {
			t.Fatalf("a call between two lists: %d, %v; want %d", got, err, child.TID)
		}
	}
}

// TestAWaitForABatchSleeps: the tracee may need the processor that its tracer is on, which has a
// higher priority in the supervisor and is given up by sleep alone.
func TestAWaitForABatchSleeps(t *testing.T) {
	cmd, _, _ := start(t, "cat")
	i, err := stopped(t, cmd.Process.Pid, ForkOptions).Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = i.End() }()
	b, err := i.NewBatch(64 << 10)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	const long = 300 * time.Millisecond
	span, err := b.Data(binary.NativeEndian.AppendUint64(make([]byte, 8), uint64(long)))
	if err != nil {
		t.Fatal(err)
	}
	b.Add(unix.SYS_NANOSLEEP, span, 0)
	before := ownTime(t)
	if _, err := b.Run(); err != nil {
		t.Fatal(err)
	}
	if used := ownTime(t) - before; used > long/3 {
		t.Errorf("the wait for a call of %v took %v of processor time", long, used)
	}
}

// ownTime is the processor time that this thread has used.
func ownTime(t *testing.T) time.Duration {
	t.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// runsOnce runs a list of calls: one is given something, one stores something.
func runsOnce(t *testing.T, b *Batch, tid int) {
	t.Helper()
	name, err := b.Data([]byte("given\x00"))
	if err != nil {
		t.Fatal(err)
	}
	at, err := b.Reserve(16)
	if err != nil {
		t.Fatal(err)
	}
	b.Add(unix.SYS_GETPID)
	b.Add(unix.SYS_PRCTL, unix.PR_SET_NAME, name)
	b.Add(unix.SYS_PRLIMIT64, 0, unix.RLIMIT_NOFILE, 0, at)
	res, err := b.Run()
	if err != nil || len(res) != 3 || int(res[0].Value) != tid {
		t.Fatalf("batch: %+v, %v; want three results, the first %d", res, err, tid)
	}
	var limit unix.Rlimit
	if err := unix.Prlimit(tid, unix.RLIMIT_NOFILE, nil, &limit); err != nil {
		t.Fatal(err)
	}
	var out [16]byte
	if err := b.Output(at, out[:]); err != nil || binary.LittleEndian.Uint64(out[:]) != limit.Cur {
		t.Fatalf("stored %x, %v; want a soft limit of %d", out, err, limit.Cur)
	}
	comm, err := readProc(tid, "comm")
	if err != nil || string(comm) != "given\n" {
		t.Fatalf("the child is named %q, %v", comm, err)
	}
}
