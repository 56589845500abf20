// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"os/exec"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// TestLadderIsNotOpenForWriting: also where the embedding program starts others meanwhile. A
// lease for reading is to be had only where nobody writes.
func TestLadderIsNotOpenForWriting(t *testing.T) {
	done := make(chan error)
	go func() {
		defer close(done)
		for range 200 {
			if err := exec.Command("/bin/true").Run(); err != nil {
				done <- err
				return
			}
		}
	}()
	dir, written := t.TempDir(), 0
	for {
		select {
		case err := <-done:
			if err != nil || written == 0 {
				t.Errorf("%d ladders: %v", written, err)
			}
			return
		default:
			if err := leaseLadder(dir); err != nil {
				t.Errorf("a lease on the ladder: %v", err)
			}
			written++
		}
	}
}

func leaseLadder(dir string) error {
	path, err := writeLadder(dir, 0, 0, 0o755)
	if err != nil {
		return err
	}
	defer unix.Close(path)
	fd, err := unix.Open("/proc/self/fd/"+strconv.Itoa(path), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	_, err = unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_RDLCK)
	return err
}
