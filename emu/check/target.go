// SPDX-License-Identifier: Apache-2.0

package check

import (
	"errors"
	"os"
	"runtime"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
)

// argumentRange is row 7, before any process is looked at.
func argumentRange(c *Call) unix.Errno {
	if c.Hint < 0 || !c.Naming.valid(c.Pid) {
		return c.fail(unix.EINVAL, "pid %d, hint %d: negative, or no pid", c.Pid, c.Hint)
	}
	return 0
}

// findTarget is row 8: the process with that number in the caller's pid
// namespace. An id of a thread that leads no group is EINVAL.
func findTarget(c *Call) unix.Errno {
	tgid, err := c.locate()
	if err != nil {
		return c.unexpected(err)
	}
	if tgid == c.Caller.TGID {
		c.Target.TGID, c.Target.Self = c.Caller.TGID, true
		return 0
	}
	for range handovers {
		if err = c.open(tgid); err == nil || !vanished(err) || unix.Kill(tgid, 0) == unix.ESRCH {
			break
		}
		c.Close() // the number is being handed over, see there
		runtime.Gosched()
	}
	if err != nil {
		return c.unexpected(err)
	}
	if c.Target.leader != tgid {
		return c.fail(unix.EINVAL, "pid %d is a thread of process %d", c.Pid, c.Target.leader)
	}
	c.Target.TGID = tgid
	return 0
}

// handovers bounds how often a process is looked at again whose number is being
// handed over: where another thread than the leader executes a program, it takes
// the leader's number (de_thread in fs/exec.c), and for a moment /proc/PID is
// there and nothing in it.
const handovers = 1000

// vanished reports whether something in /proc was not there.
func vanished(err error) bool { return proc.Gone(err) || errors.Is(err, os.ErrNotExist) }

// open opens and pins the process.
func (c *Call) open(tgid int) (err error) {
	if c.Target.Dir, err = proc.Open(tgid); err != nil {
		return err
	}
	st, err := c.Target.Dir.Status()
	if err != nil {
		return err
	}
	if st.Tgid == 0 { // reaped while the file was read (task_tgid_nr_ns() in proc_pid_status())
		return &proc.GoneError{PID: tgid, File: "status"}
	}
	c.Target.leader, c.Target.parent, c.Target.NSpid = st.Tgid, st.PPid, st.NSpid
	if st.Tgid != st.Pid {
		return nil
	}
	return c.pin(tgid)
}

// pin opens a pidfd and proves that it, the open directory and the number that
// the caller gave are one process.
//
//	locate: n              from here on the directory stands for one process;
//	open /proc/n           if it is alive at the end, n was its number all
//	pidfd_open(n)          the time, so the pidfd is the same, and so is what
//	locate: n again        was located the second time
//	directory alive
func (c *Call) pin(tgid int) error {
	gone := &proc.GoneError{PID: tgid, File: "pidfd"}
	pidfd, err := unix.PidfdOpen(tgid, 0)
	if err == unix.ESRCH {
		return gone
	}
	if err != nil {
		return err
	}
	c.Target.PidFD = pidfd
	again, err := c.locate()
	if err != nil {
		return err
	}
	if again != tgid || !c.Target.Dir.Alive() {
		return gone
	}
	return nil
}

// isDescendant is row 9. The caller's own process counts.
func isDescendant(c *Call) unix.Errno {
	if c.Target.Self || c.Target.parent == c.Caller.TGID {
		return 0
	}
	below, err := c.Target.Dir.DescendsFrom(c.Caller.TGID)
	if err != nil {
		return c.unexpected(err)
	}
	if !below {
		return c.fail(unix.EPERM, "process %d is no descendant of %d", c.Target.TGID, c.Caller.TGID)
	}
	return 0
}

// hasLiveThread is row 10, and chooses the target thread. To its own process the
// caller is what is cloned, whichever thread it is.
func hasLiveThread(c *Call) unix.Errno {
	if c.Target.Self {
		c.Target.TID = c.Caller.TID
		return 0
	}
	for range handovers {
		found, errno := c.scanThreads()
		if found || errno != 0 {
			return errno
		}
		if ended(c.Target.PidFD) {
			break
		}
		runtime.Gosched()
	}
	return c.fail(unix.ESRCH, "process %d has exited or is about to", c.Target.TGID)
}

// A process without a live thread is looked at again, unless it has ended. One
// look can miss the thread that executes a program, which takes
// the leader's number (de_thread in fs/exec.c):
//
//	check                  leader L        thread T
//	stat of L: exiting     zombie          waits for that
//	                                       is L now, T is no number any more
//	list, open T: ENOENT
//
// The next look finds it at L.

// scanThreads tries the leader, then the others in the order of their list.
func (c *Call) scanThreads() (found bool, errno unix.Errno) {
	found, errno = c.tryThread(c.Target.TGID) // nearly always the one
	if found || errno != 0 {
		return found, errno
	}
	tids, err := c.Target.Dir.Threads()
	if err != nil && !vanished(err) {
		return false, c.unexpected(err)
	}
	for _, tid := range tids {
		if found, errno = c.tryThread(tid); found || errno != 0 {
			return found, errno
		}
	}
	return false, 0
}

// ended reports whether the last thread of the process has exited.
func ended(pidfd int) bool {
	p := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
	n, err := unix.Poll(p, 0)
	return err == nil && n == 1
}

// tryThread makes a thread the target thread if it is not exiting.
func (c *Call) tryThread(tid int) (found bool, errno unix.Errno) {
	th, err := liveThread(c.Target.Dir, tid)
	if err != nil && !vanished(err) {
		return false, c.unexpected(err)
	}
	if th != nil {
		c.Target.TID, c.Target.Thread = tid, th
	}
	return th != nil, 0
}

// liveThread opens a thread, nil if it is exiting, or a worker of the kernel's.
func liveThread(process *proc.Dir, tid int) (*proc.Dir, error) {
	th, err := process.Thread(tid)
	if err != nil {
		return nil, err
	}
	stat, err := th.Stat()
	if err != nil || stat.Exiting() || stat.Worker() {
		th.Close()
		return nil, err
	}
	return th, nil
}

// mayAccess is row 12.
func mayAccess(c *Call) unix.Errno {
	if c.Target.Self {
		return 0
	}
	if errno := c.Access(c.Target.TID); errno != 0 {
		return c.fail(errno, "thread %d may not ptrace-attach thread %d", c.Caller.TID, c.Target.TID)
	}
	return 0
}
