package emu

import (
	"os"
	"time"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
	"cloneat-emu/ptrace"
)

// C1 is a child of the caller's process. Where that is killed while C1 lives, C1 is the child of
// whoever adopts the caller's orphans, a process that has never heard of it. As long as its tracer has
// not reaped C1, nobody is told anything: so the heir, if it is one of those that are served, is
// made to reap it quietly, as a target is made to reap a child that is not to be. An heir outside,
// which is the init of a system or nearly that, or with filters that cannot be suspended, reaps it
// as any other.

// reapFather reaps C1, if there was one, so that its parent can.
func (c *call) reapFather() {
	if c.father != nil && !c.leftToHeir() {
		c.father.Reap()
	}
}

// forgetFather has the heir reap a C1 that nobody could, since the caller was killed when it was
// about to.
func (c *call) forgetFather() {
	if c.father == nil {
		return
	}
	if st, err := statOf(c.father.TID); err == nil && st.State == 'Z' {
		c.leftToHeir()
	}
	c.father = nil
}

// leftToHeir has C1, which is dead, reaped by the heir of a caller that was killed, and reports
// whether it has been.
func (c *call) leftToHeir() bool {
	c1 := c.father
	if !proc.Exiting(c.n.TID) && !proc.Pending(c.n.TID, unix.SIGKILL) {
		return false
	}
	heir := c.heirOf(c1.TID)
	if heir == 0 || !c.serves(heir) {
		return false
	}
	// It is above the caller: who holds it waits for none below it.
	c.s.locks.lock(heir)
	defer c.s.locks.unlock(heir)
	t, err := c.stopThread(heir, heir)
	if err != nil {
		return false
	}
	id := uintptr(numberFor(heir, c1.TID))
	_ = quietly(t, c1.TID, unix.SIGCHLD, func() error {
		c1.Reap()
		_, err := t.Call(unix.SYS_WAIT4, id, 0, unix.WALL, 0)
		return err
	})
	_ = c.letTargetGo(t)
	return true
}

// heirOf waits until C1's father, which has been killed, is gone, and returns the next one; 0 if
// it does not go.
func (c *call) heirOf(c1 int) int {
	const bound = time.Second / 2
	for end := time.Now().Add(bound); time.Now().Before(end); time.Sleep(50 * time.Microsecond) {
		st, err := statOf(c1)
		if err != nil {
			return 0
		}
		if st.Ppid != c.check.Caller.TGID {
			return st.Ppid
		}
	}
	return 0
}

// serves reports whether a process can be made to reap a child: it is below the listener's
// filter, as only those are that the supervisor has started, and no filter of its own would judge
// it for that. Before Linux 5.9 nobody knows.
func (c *call) serves(pid int) bool {
	st, err := statusOf(pid)
	return err == nil && pid != os.Getpid() && st.SeccompFilters >= ptrace.CommonFilters() &&
		c.judged("heir", st) == nil
}
