// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"bytes"
	"strconv"
	"time"
)

// asleep is what was known of a thread just before it was interrupted: in which
// call it slept, and since when.
type asleep struct {
	call  []byte // /proc/TID/syscall
	sched sched
}

// sched is what /proc/TID/sched (CONFIG_SCHED_DEBUG) tells: when the thread last
// ran, by its processor's clock, how often it has gone to sleep, and how often
// it has changed processors.
type sched struct {
	ran      time.Duration
	sleeps   int64
	migrated int64
}

// Observe looks at a thread that is about to be interrupted. The kernel tells
// nobody when a call began; so that its timeout can go on where it stopped, how
// long the thread has slept is taken down beforehand. That it is asleep is asked last: of one
// that was woken meanwhile nothing is known.
func (r *Running) Observe() {
	call, err := readProc(r.TID, "syscall")
	if err != nil || !mayRestartAfresh(call) {
		return
	}
	sc, ok := readSched(r.TID)
	if again, err := readProc(r.TID, "syscall"); ok && err == nil && bytes.Equal(again, call) {
		r.slept = &asleep{call, sc}
	}
}

// elapsed is how long the thread had slept in its call when it was stopped, at
// least; 0 where that is not known. One that was awake between the look and the
// stop has slept once more than for the stop; the clocks of two processors
// differ, so that one that has moved is not known of either. When it last ran is 0 for one
// that has just been moved (migrate_task_rq_fair() in kernel/sched/fair.c).
func (s *Stopped) elapsed(regs Regs) time.Duration {
	if s.slept == nil || !bytes.Equal(s.slept.call, procSyscall(regs)) {
		return 0
	}
	now, ok := readSched(s.TID)
	was := s.slept.sched
	if !ok || was.ran == 0 || now.sleeps != was.sleeps+1 || now.migrated != was.migrated {
		return 0
	}
	return max(0, now.ran-was.ran)
}

func readSched(tid int) (sc sched, ok bool) {
	b, err := readProc(tid, "sched")
	if err != nil {
		return sc, false
	}
	ran, ok1 := schedField(b, "\nse.exec_start ")
	sleeps, ok2 := schedField(b, "\nnr_voluntary_switches ")
	migrated, ok3 := schedField(b, "\nse.nr_migrations ")
	return sched{time.Duration(ran), sleeps, migrated}, ok1 && ok2 && ok3
}

// schedField reads a whole number, or milliseconds with six decimals as
// nanoseconds.
func schedField(b []byte, name string) (int64, bool) {
	_, rest, _ := bytes.Cut(b, []byte(name))
	_, rest, _ = bytes.Cut(rest, []byte(":"))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	line = bytes.Replace(bytes.TrimSpace(line), []byte("."), nil, 1)
	v, err := strconv.ParseInt(string(line), 10, 64)
	return v, err == nil
}
