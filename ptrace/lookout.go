// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"bytes"
	"time"
)

// lookout is kept while a tracee is waited for: whether it sleeps one sleep, on and on.
type lookout struct {
	tid     int
	hold    bool                 // a child in the making, whose calls may wait for others
	onStuck func() (over func()) // nil: nobody wants to know
	over    func()               // nil: nobody has been told

	sleep
	since, looked time.Time
	same          bool // at the last two looks
	frozen        bool // or so it seems
}

func (i *Injection) lookout() *lookout {
	return &lookout{tid: i.TID, hold: i.Hold, onStuck: i.OnStuck}
}

// look is called again and again, and looks now and then.
func (l *lookout) look() {
	at := time.Now()
	if at.Sub(l.looked) < deepBound {
		return
	}
	now := sleepOf(l.tid)
	l.same = now.state != 'R' && now == l.sleep
	l.frozen = l.same && mayBeFrozen(l.tid)
	if !l.same || l.frozen {
		l.sleep, l.since = now, at
	}
	l.looked = at
}

// pause is [pause], and a look.
func (l *lookout) pause(i int) {
	if pause(i); i >= looks {
		l.look()
	}
}

// stuck reports whether a child in the making has slept one sleep for longer than [Patience].
func (l *lookout) stuck() bool {
	return l.hold && l.same && !l.frozen && l.looked.Sub(l.since) > Patience
}

// untold reports whether onStuck is to be called. All others that are waited for sleep in no call.
func (l *lookout) untold() bool {
	return l.onStuck != nil && l.over == nil && l.same && (l.frozen || !l.hold)
}

// tell calls onStuck, if it is time for that.
func (l *lookout) tell() {
	if l.untold() {
		l.over = l.onStuck()
	}
}

func (l *lookout) end() {
	if l.over != nil {
		l.over()
		l.over = nil
	}
}

// mayBeFrozen reports whether the thread's control group is, as far as the kernel tells where it
// sleeps: in the signal code (do_freezer_trap(), which get_signal() may have inlined); in version 1
// in __refrigerator(), or where it was stopped before (__set_task_frozen() in kernel/freezer.c).
// Who is frozen answers when he is thawed.
func mayBeFrozen(tid int) bool {
	where, err := readProc(tid, "wchan")
	if err != nil || string(where) == "0" {
		return true
	}
	for _, in := range []string{"freezer", "refrigerator", "get_signal", "ptrace_stop"} {
		if bytes.Contains(where, []byte(in)) {
			return true
		}
	}
	return false
}
