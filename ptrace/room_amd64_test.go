// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

const (
	roomPieces = 12
	roomPiece  = 64 << 10
	roomSocket = 3 // the tracee's descriptor
)

// roomCalls are what a tracee of TestLegsInLittleRoom does, with all of it in pieces.
var roomCalls = map[string]struct {
	nr string
	do func(pieces [][]byte) (int, error)
}{
	"writev": {"20", func(p [][]byte) (int, error) { return unix.Writev(roomSocket, p) }},
	"sendmsg": {"46", func(p [][]byte) (int, error) {
		return unix.SendmsgBuffers(roomSocket, p, nil, nil, 0)
	}},
	"recvmsg": {"47", func(p [][]byte) (int, error) {
		n, _, _, _, err := unix.RecvmsgBuffers(roomSocket, p, nil, unix.MSG_WAITALL)
		return n, err
	}},
}

// pattern is what is sent: no piece looks like another.
func pattern() []byte {
	all := make([]byte, roomPieces*roomPiece)
	for i := range all {
		all[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return all
}

// The test's own binary is the tracee.
func init() {
	name := os.Getenv("PTRACE_TEST_ROOM")
	if name == "" {
		return
	}
	want, all := pattern(), pattern()
	if name == "recvmsg" {
		clear(all)
	}
	var pieces [][]byte
	for rest := all; len(rest) > 0; rest = rest[roomPiece:] {
		pieces = append(pieces, rest[:roomPiece])
	}
	n, err := roomCalls[name].do(pieces)
	if err != nil || n != len(all) || !bytes.Equal(all, want) {
		println(name, n, err != nil, bytes.Equal(all, want))
		os.Exit(1)
	}
	os.Exit(0)
}

// TestLegsInLittleRoom stops calls with many pieces where the vdso leaves room for four
// slots, and for the two that Linux 7.3 leaves.
func TestLegsInLittleRoom(t *testing.T) {
	for _, room := range []int{5*guardSize - 1, 896} {
		for name := range roomCalls {
			t.Run(name+strconv.Itoa(room), func(t *testing.T) {
				defer func(n int) { slotMemory = n }(slotMemory)
				slotMemory = room
				stopInPieces(t, name)
			})
		}
	}
}

func stopInPieces(t *testing.T, name string) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "ours"), os.NewFile(uintptr(fds[1]), "theirs")
	defer ours.Close()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env, cmd.ExtraFiles, cmd.Stderr = append(os.Environ(), "PTRACE_TEST_ROOM="+name), []*os.File{theirs}, os.Stderr
	if err := errors.Join(cmd.Start(), theirs.Close()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	all := pattern()
	const first = roomPiece + 100
	if name == "recvmsg" {
		send(t, ours, all[:first])
	}
	blockedIn(t, cmd.Process.Pid, roomCalls[name].nr)
	s := stopped(t, cmd.Process.Pid, ForkOptions)
	i, err := s.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := i.Call(unix.SYS_GETPID); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(i.End(), s.Detach(0)); err != nil {
		t.Fatal(err)
	}
	if name == "recvmsg" {
		_, err = ours.Write(all[first:])
	} else if got, rerr := io.ReadAll(io.LimitReader(ours, int64(len(all)))); rerr != nil || !bytes.Equal(got, all) {
		t.Errorf("%d bytes came, %v", len(got), rerr)
	}
	if err := errors.Join(err, cmd.Wait()); err != nil {
		t.Error(err)
	}
}

// send writes to the tracee and waits until it has all of it.
func send(t *testing.T, to *os.File, b []byte) {
	if _, err := to.Write(b); err != nil {
		t.Fatal(err)
	}
	for left := 1; left > 0; {
		var err error
		if left, err = unix.IoctlGetInt(int(to.Fd()), unix.TIOCOUTQ); err != nil {
			t.Fatal(err)
		}
	}
}
