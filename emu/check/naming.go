// SPDX-License-Identifier: Apache-2.0

package check

import (
	"bytes"
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
)

// Naming is how a call's first argument names its target: what is particular to
// one of several calls in rows 7 and 8. The zero value is ByNumber.
type Naming int

const (
	// ByNumber: a process id in the caller's pid namespace, as cloneat has it.
	ByNumber Naming = iota
	// ByPidFD: a descriptor of the caller's that is a pidfd.
	ByPidFD
)

// valid reports whether arg can name a process at all. Every number may be a
// descriptor, and one that is not open is EBADF.
func (n Naming) valid(arg int) bool { return n == ByPidFD || arg > 0 }

// locate finds the supervisor's number for what the first argument names, which
// may be a thread. The caller's own process needs no look-up.
func (c *Call) locate() (int, error) {
	switch {
	case c.Naming == ByPidFD:
		return c.behindPidFD()
	case c.Pid == c.Caller.pid(): // known to be there, and no other thread's id
		return c.Caller.TGID, nil
	}
	return c.translate()
}

// behindPidFD reads what the caller's descriptor is. The thread's own fdinfo shows
// its table even where it does not share that with its leader, and the number in
// there is one of the pid namespace of our /proc (pidfd_show_fdinfo() in
// fs/pidfs.c): -1 of a process that was reaped, 0 of one that is not in there.
func (c *Call) behindPidFD() (int, error) {
	notOne := fmt.Errorf("descriptor %d of thread %d is no pidfd: %w", c.Pid, c.Caller.TID, unix.EBADF)
	if c.Pid < 0 {
		return 0, notOne
	}
	info, err := c.Caller.Thread.ReadFile("fdinfo/" + strconv.Itoa(c.Pid))
	if err != nil {
		return 0, notOne
	}
	_, rest, ok := bytes.Cut(info, []byte("\nPid:\t"))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	n, err := strconv.Atoi(string(line))
	switch {
	case !ok || err != nil:
		return 0, notOne
	case n < 0:
		return 0, &proc.GoneError{PID: n, File: fmt.Sprintf("fdinfo/%d of %d", c.Pid, c.Caller.TID)}
	case n == 0:
		return 0, fmt.Errorf("pidfd %d is of a process that is not to be seen from here: %w", c.Pid, unix.EPERM)
	}
	return n, nil
}
