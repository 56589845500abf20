// SPDX-License-Identifier: Apache-2.0

package ptrace

import "testing"

// TestElapsedOfAThreadThatMoved: one that has just been moved to another processor says
// that it last ran at 0, and has not slept since the machine was started.
func TestElapsedOfAThreadThatMoved(t *testing.T) {
	cmd, _, _ := start(t, "cat")
	blockedIn(t, cmd.Process.Pid, "0")
	s := stopped(t, cmd.Process.Pid, Plain)
	regs, err := s.Regs()
	if err != nil {
		t.Fatal(err)
	}
	now, ok := readSched(s.TID)
	if !ok {
		t.Skip("no /proc/PID/sched (CONFIG_SCHED_DEBUG)")
	}
	was := now
	was.sleeps--
	s.slept = &asleep{procSyscall(regs), was}
	if got := s.elapsed(regs); got != 0 {
		t.Errorf("a thread that was seen a moment ago has slept for %v", got)
	}
	was.ran--
	s.slept = &asleep{procSyscall(regs), was}
	if got := s.elapsed(regs); got != 1 {
		t.Errorf("a thread that ran 1 ns later has slept for %v", got)
	}
	was.ran = 0
	s.slept = &asleep{procSyscall(regs), was}
	if got := s.elapsed(regs); got != 0 {
		t.Errorf("a thread that was being moved has slept for %v", got)
	}
}
