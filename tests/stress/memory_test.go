// SPDX-License-Identifier: Apache-2.0

package stress

import (
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"

	"cloneat-emu/tests/built"
)

// TestNoMoreMemory: a supervisor that gets no more memory than it has (RLIMIT_AS) lives
// with it, or ends as if it were killed, in the middle of whatever calls. Nobody is harmed.
func TestNoMoreMemory(t *testing.T) {
	s := startStorm(t, built.C(t, "tests/stress/testdata/storm.c"), "4", "1", "EINTR")
	if err := unix.Prlimit(s.operator, unix.RLIMIT_AS, &unix.Rlimit{}, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, s.complaints(t))
	}
	nobodyLeft(t)
}

// TestNoRoom: neither a full folder for temporary files nor a log that cannot be written
// keeps a call from being served.
func TestNoRoom(t *testing.T) {
	const script = `mount -t tmpfs -o size=4k none "$1" && { ! cat /dev/zero >"$1/all" 2>"$1/why"; } &&
TMPDIR=$1 exec "$2" run --log-level debug -- "$3" 2 1 2>"$1/log"`
	program := built.C(t, "tests/stress/testdata/storm.c")
	out, err := built.Output(t, func(out *os.File) error {
		cmd := exec.Command("unshare", "-m", "sh", "-c", script, "sh", t.TempDir(), built.Emulator(t), program)
		cmd.Stdout, cmd.Stderr = out, out
		return cmd.Run()
	})
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	nobodyLeft(t)
}
