// SPDX-License-Identifier: Apache-2.0

package emu_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu"
	"cloneat-emu/emu/proc"
	"cloneat-emu/tests/built"
)

// TestSupervisorLate: a caller that has answered the supervisor's questions sleeps on
// until the supervisor comes, however late that is. It used to take its tracer for
// dead after two seconds and make its call again, with its filters suspended: ENOSYS.
func TestSupervisorLate(t *testing.T) {
	t.Parallel()
	untilLate(t, func(*emu.Cmd) {})
}

// TestUnprivilegedSupervisorLate: where filters cannot be suspended, the caller makes
// its call again, which begins anew. The supervisor used to wait for ever for a stop.
func TestUnprivilegedSupervisorLate(t *testing.T) {
	t.Parallel()
	untilLate(t, (*emu.Cmd).Unprivileged)
}

// untilLate stops the supervisor of calls until the caller has woken up.
func untilLate(t *testing.T, change func(*emu.Cmd)) {
	t.Helper()
	cmd := emu.Command(built.C(t, "tests/bench/loops/loops.c"), "forked", "1", "3")
	cmd.StopAt("caller asleep")
	change(cmd)
	out, err := built.Output(t, func(out *os.File) error {
		cmd.Stdout, cmd.Stderr = out, out
		if err := cmd.Start(); err != nil {
			return err
		}
		if awaitStopped(t, cmd.Operator()) {
			awaitNextSleep(cmd.Pid)
		}
		if err := unix.Kill(cmd.Operator(), unix.SIGCONT); err != nil {
			t.Error(err)
		}
		return cmd.Wait()
	})
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// awaitStopped waits until a child of this process has stopped. One that ends instead
// is an error.
func awaitStopped(t *testing.T, pid int) bool {
	t.Helper()
	for {
		var si unix.Siginfo
		err := unix.Waitid(unix.P_PID, pid, &si, unix.WSTOPPED|unix.WEXITED|unix.WNOWAIT, nil)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil || si.Code != cldStopped:
			t.Errorf("the operator did not come to the step: code %d, %v", si.Code, err)
			return false
		}
		return true
	}
}

// cldStopped is CLD_STOPPED (include/uapi/asm-generic/siginfo.h).
const cldStopped = 5

// awaitNextSleep waits until the process, which sleeps in poll(NULL, 0, 2000) or is about
// to, has woken up from it, whatever it does then. A process that has ended has, too, and
// so has one that is in another call: there is none between the step and the poll. What is
// read of its call is true of the sleep that it was in both before and after.
func awaitNextSleep(pid int) {
	const poll = "7 0x0 0x0 0x7d0 "
	asleep := ""
	for ; ; time.Sleep(time.Millisecond) {
		before, _ := sleepsOf(pid)
		call, _ := os.ReadFile(fmt.Sprintf("/proc/%d/syscall", pid))
		now, alive := sleepsOf(pid)
		switch {
		case !alive, asleep != "" && now != asleep:
			return
		case before != now: // of which sleep is not known
		case strings.HasPrefix(string(call), poll):
			asleep = now
		case len(call) > 0 && '0' <= call[0] && call[0] <= '9': // not "running", nor -1
			return
		}
	}
}

// sleepsOf is how often a process has gone to sleep, and whether it is alive.
func sleepsOf(pid int) (sleeps string, alive bool) {
	dir, err := proc.Open(pid)
	if err != nil {
		return "", false
	}
	defer dir.Close()
	st, err := dir.Stat()
	if err != nil || st.Exiting() {
		return "", false
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, rest, _ := strings.Cut(string(status), "\nvoluntary_ctxt_switches:")
	sleeps, _, _ = strings.Cut(rest, "\n")
	return sleeps, err == nil
}
