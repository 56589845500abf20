// SPDX-License-Identifier: Apache-2.0

package check

import (
	"sync"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
)

// Known remembers the last processes whose leaders called. Who clones itself does it
// often, and to read /proc/PID/status takes longer than any other step of such a call
// but the clone. A process keeps its numbers, in every pid namespace, for life; that
// a number is still the same process's, and no other's that came after it, a pidfd
// tells: until it polls as ended, the number is not free.
//
// The zero value is ready. Several threads may use it.
type Known struct {
	mu   sync.Mutex // guards what follows; nothing else is locked under it
	last [knownMax]known
	next int // the one to be replaced
}

// knownMax is few: each costs a descriptor.
const knownMax = 4

type known struct {
	pidfd  int
	status *proc.Status
}

// Self returns the calling thread if it is a known process's leader, and pid, as it
// uses that number itself, is this process: nil if not. Such a Caller has no Thread,
// and of its Status only what never changes: Pid, Tgid, NSpid and NStgid. That is
// enough for the rows of a call to itself without a hint and CLONE_THREAD.
func (k *Known) Self(tid, pid int) *Caller {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range k.last {
		if e := &k.last[i]; e.status != nil && e.status.Tgid == tid && !ended(e.pidfd) {
			c := &Caller{TGID: tid, TID: tid, Status: e.status, pidfd: noPidFD}
			if c.pid() == pid {
				return c
			}
		}
	}
	return nil
}

// Open is OpenCaller for one that is to be kept if Self can find it the next time.
func (k *Known) Open(tid, pid int) (*Caller, error) {
	c, err := OpenCaller(tid)
	if err == nil && c.TGID == tid && c.pid() == pid {
		if c.pidfd, err = unix.PidfdOpen(tid, 0); err != nil {
			c.pidfd = noPidFD // it is known next time
		}
		err = nil
	}
	return c, err
}

// Keep remembers a caller that Open returned. Precondition: the notification was
// still valid after that, so that what Open read and opened is one process's.
func (k *Known) Keep(c *Caller) {
	if c.pidfd == noPidFD {
		return
	}
	s := c.Status
	e := known{c.pidfd, &proc.Status{Pid: s.Pid, Tgid: s.Tgid, NSpid: s.NSpid, NStgid: s.NStgid}}
	c.pidfd = noPidFD
	k.mu.Lock()
	defer k.mu.Unlock()
	old := &k.last[k.next]
	k.next = (k.next + 1) % knownMax
	if old.status != nil {
		unix.Close(old.pidfd)
	}
	*old = e
}
