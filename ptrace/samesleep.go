// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"bytes"
	"time"
)

// sameSleep is a sleep of a thread's that goes on and on.
type sameSleep struct {
	sleep
	since, looked time.Time
	frozen        bool // at the last look, or so it seems
}

// tooLong reports whether the thread has slept one sleep since it was first looked at that way,
// for longer than [Patience].
func (s *sameSleep) tooLong(tid int) bool {
	if time.Since(s.looked) < deepBound/2 {
		return false
	}
	at := time.Now()
	now := sleepOf(tid)
	same := now.state != 'R' && now == s.sleep
	s.frozen = same && mayBeFrozen(tid)
	if !same || s.frozen {
		s.sleep, s.since = now, at
	}
	s.looked = at
	return at.Sub(s.since) > Patience
}

// mayBeFrozen reports whether the thread's control group is, as far as the kernel tells where it
// sleeps: in the signal code (do_freezer_trap(), which get_signal() may have inlined; in version 1
// __refrigerator()). Who is frozen answers when he is thawed.
func mayBeFrozen(tid int) bool {
	where, err := readProc(tid, "wchan")
	if err != nil || string(where) == "0" {
		return true
	}
	for _, in := range []string{"freezer", "refrigerator", "get_signal"} {
		if bytes.Contains(where, []byte(in)) {
			return true
		}
	}
	return false
}
