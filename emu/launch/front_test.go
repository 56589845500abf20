// SPDX-License-Identifier: Apache-2.0

package launch

import (
	"bufio"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"cloneat-emu/internal/reexec"
	"cloneat-emu/tests/built"
)

func TestMain(m *testing.M) {
	reexec.Main(m, map[string]func(){"stops": stops, "sentinel": tells})
}

// stops stops as often as it is told to, and says so when it goes on.
func stops() {
	signal.Notify(make(chan os.Signal, 1), unix.SIGTTIN)
	fmt.Println("ready")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		if err := StopSelf(int(unix.SIGTTIN)); err != nil {
			fmt.Println(err)
		}
		fmt.Println("resumed")
	}
}

// TestStopOnlyOnce: a front that has the group's signal pending when it is told to
// stop, stops once.
func TestStopOnlyOnce(t *testing.T) {
	const rounds = 300
	cmd := reexec.Command("stops")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // not orphaned: we are in its session
	in, out := built.Talk(t, cmd)
	stops := make(chan int)
	go func() { stops <- continueAll(cmd.Process.Pid) }()
	said := bufio.NewScanner(out)
	for i := -1; i < rounds && said.Scan(); i++ {
		if want := map[bool]string{true: "ready", false: "resumed"}[i < 0]; said.Text() != want {
			t.Errorf("it said %q, not %q", said.Text(), want)
		}
		if i+1 < rounds {
			_ = unix.Kill(cmd.Process.Pid, unix.SIGTTIN)
			fmt.Fprintln(in)
		}
	}
	in.Close()
	if n := <-stops; n != rounds {
		t.Errorf("%d stops, not %d", n, rounds)
	}
}

// continueAll continues a child each time that it stops, until it ends, and counts.
func continueAll(pid int) (stops int) {
	for {
		var status unix.WaitStatus
		if _, err := unix.Wait4(pid, &status, unix.WUNTRACED, nil); err == unix.EINTR {
			continue
		} else if err != nil || !status.Stopped() {
			return stops
		}
		stops++
		_ = unix.Kill(pid, unix.SIGCONT)
	}
}
