// SPDX-License-Identifier: Apache-2.0

package launch

import (
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"
)

// stoppedChild is a keeper's program that was stopped twice and continued once.
func stoppedChild(t *testing.T) *keeper {
	t.Helper()
	cmd := exec.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	theirs, ours, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(theirs); unix.Close(ours) })
	k := &keeper{front: ours, pid: cmd.Process.Pid, sentinel: newSentinel()}
	for _, sig := range []unix.Signal{unix.SIGSTOP, unix.SIGCONT, unix.SIGSTOP} {
		if err := unix.Kill(k.pid, sig); err != nil {
			t.Fatal(err)
		}
		if err := unix.Waitid(unix.P_PID, k.pid, nil, unix.WSTOPPED|unix.WCONTINUED|unix.WNOWAIT, nil); err != nil {
			t.Fatal(err)
		}
		k.mu.Lock()
		k.done = k.stop // no stop is left for wakeFront to look after
		k.mu.Unlock()
		k.collect()
	}
	return k
}

// TestContinueOlderThanTheStop: a SIGCONT that the front had before the program's last
// stop, and relays late, does not undo that stop; one that came after it does.
func TestContinueOlderThanTheStop(t *testing.T) {
	k := stoppedChild(t)
	k.relay(int(unix.SIGCONT), k.stop-1)
	if s := state(k.pid); s != 'T' {
		t.Errorf("the program is %c after a late SIGCONT, not stopped", s)
	}
	k.relay(int(unix.SIGCONT), k.stop)
	if s := state(k.pid); s == 'T' {
		t.Error("the program is stopped after its SIGCONT")
	}
}

// TestContinueOfOurOwn: the SIGCONT with which the keeper woke the front goes nowhere.
func TestContinueOfOurOwn(t *testing.T) {
	k := stoppedChild(t)
	k.woke = true
	k.relay(int(unix.SIGCONT), k.stop)
	if s := state(k.pid); s != 'T' {
		t.Errorf("the program is %c, not stopped", s)
	}
}
