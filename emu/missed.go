package emu

import (
	"fmt"

	"golang.org/x/sys/unix"

	"cloneat-emu/ptrace"
)

// A signal to the caller's process group that comes while the child is made is for both, or
// comes before the child: fork(2) begins anew where a signal waits, and later hands it to the
// child (copy_process() in kernel/fork.c, "multiprocess"). Here the child is in that group from
// its birth or soon after. What waits for the caller until then may miss the child: the call
// begins anew, after the signal's delivery. That is looked at before the child is born, since
// an end of one may be seen by other threads of the target, and once more when it is in the
// group.

// toGroups are signals that are sent to process groups, by a terminal or a shell. Those of
// timers are not among them, which could come faster than a child is made.
const toGroups = 1<<(uint(unix.SIGHUP)-1) | 1<<(uint(unix.SIGINT)-1) | 1<<(uint(unix.SIGQUIT)-1) |
	1<<(uint(unix.SIGTERM)-1) | 1<<(uint(unix.SIGUSR1)-1) | 1<<(uint(unix.SIGUSR2)-1) |
	1<<(uint(unix.SIGTSTP)-1)

// maxMissed is how often a call begins anew for that: whoever sends without end gets a child
// that misses one.
const maxMissed = 3

// errMissed is an ErrAgain for the whole call.
var errMissed = fmt.Errorf("a signal to the caller's process group: %w", ptrace.ErrAgain)

// missed says errMissed if the child may miss a signal.
func (c *call) missed() error {
	if c.s.patience.tried(c.n.TID) >= maxMissed {
		return nil
	}
	st, err := c.check.Caller.Thread.Status()
	if err != nil {
		return errCallerGone
	}
	if st.ShdPnd&toGroups&^c.caller.Mask()&^st.SigIgn != 0 {
		return errMissed
	}
	return nil
}
