// SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
	"cloneat-emu/emu/rights"
)

// Caller is the thread that made the call. It must stay in the call, and so
// keep its number, for as long as the Caller is used.
type Caller struct {
	TGID, TID int
	Thread    *proc.Dir
	// Status is the thread's at the time of the call.
	Status *proc.Status

	pidfd int // see Known; or noPidFD
}

const noPidFD = -1

// OpenCaller looks at the thread with that id. Precondition: the thread is known
// to be the one meant after OpenCaller has returned, by a notification that is
// still valid; before that the number could have become another's.
func OpenCaller(tid int) (*Caller, error) {
	d, err := proc.Open(tid)
	if err != nil {
		return nil, err
	}
	c := &Caller{TID: tid, Thread: d, pidfd: noPidFD}
	if c.Status, err = d.Status(); err == nil {
		c.TGID = c.Status.Tgid
		if len(c.Status.NSpid) == 0 {
			err = fmt.Errorf("/proc/%d/status has no NSpid: a kernel without pid namespaces", tid)
		}
	}
	if err != nil {
		d.Close()
		return nil, err
	}
	return c, nil
}

// Close gives back what is open; a second time it does nothing.
func (c *Caller) Close() {
	if c.Thread != nil {
		c.Thread.Close()
	}
	if c.pidfd != noPidFD {
		unix.Close(c.pidfd)
		c.pidfd = noPidFD
	}
}

// pidNS is the caller's active pid namespace.
func (c *Caller) pidNS() (proc.NSID, error) { return c.Thread.NS(proc.PID) }

// pid is the caller's process in the numbers that it uses itself.
func (c *Caller) pid() int { return c.Status.NStgid[c.level()] }

// level is how many pid namespaces lie between the supervisor's and the
// caller's: the index of the caller's numbers in a list such as NSpid.
func (c *Caller) level() int { return len(c.Status.NSpid) - 1 }

// cred is what decides about the caller's capabilities. Nobody else can change
// them, and the calling thread is waiting.
func (c *Caller) cred() (*rights.Cred, error) {
	return rights.With(c.Status, c.Thread)
}
