// SPDX-License-Identifier: Apache-2.0

package check

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/abi"
	"cloneat-emu/emu/proc"
)

// Call is a call that is to be judged.
type Call struct {
	Caller *Caller
	// Pid and Hint are the arguments as the caller gave them, in the numbers
	// of its pid namespaces.
	Pid, Hint int
	// Naming says what Pid is, where it is no number of a process.
	Naming Naming
	Args   *abi.Args
	// Access is row 12: may the calling thread ptrace-attach the target
	// thread? It answers 0 or the errno of the call. Only the kernel knows,
	// so an engine asks it by a call injected into the caller.
	Access func(targetTID int) unix.Errno

	// Target is what the rows found; complete only after Check answered 0.
	Target Target
	// Row is the number of the row that decided, 0 if none did.
	Row int
	// Cause says in words why that row failed.
	Cause string
}

// Target is the process whose child is to be made. For a call to the caller's
// own process it is the caller.
type Target struct {
	TGID int
	TID  int // the leader, or the first thread that is not exiting
	Self bool
	// PidFD and Dir are open on the process, Thread on the thread. To self
	// there are none of them (-1 and nil): the caller is there anyway.
	PidFD       int
	Dir, Thread *proc.Dir
	// Differs lists the kinds of namespace that caller and target do not
	// have in common, active ones compared with active ones.
	Differs []proc.Kind

	// NSpid are the process's numbers, from the supervisor's pid namespace down.
	NSpid []int

	parent int // the real parent's process when the target was found
	leader int // of the thread group that the number belongs to
}

// Close gives back what the rows opened.
func (c *Call) Close() {
	if c.Target.Dir != nil {
		c.Target.Dir.Close()
	}
	if c.Target.Thread != nil {
		c.Target.Thread.Close()
	}
	if c.Target.PidFD >= 0 {
		unix.Close(c.Target.PidFD)
	}
	c.Target = Target{PidFD: -1}
}

// row is one line of the specification's list.
type row struct {
	number int
	check  func(*Call) unix.Errno
}

// rows is section 4, rows 7 to 14. What clone(2) refuses because of the caller's
// state is not in the table there: it goes before a hint that is refused.
var rows = []row{
	{7, argumentRange},
	{8, findTarget},
	{9, isDescendant},
	{10, hasLiveThread},
	{11, mayShare},
	{12, mayAccess},
	{13, mayEnterNamespaces},
	{14, callerState},
	{14, mayUseHint},
}

// Check runs the rows until one fails, and answers that one's errno. If all
// pass, the target is open and the caller of Check must call Close.
func (c *Call) Check() unix.Errno {
	c.Target = Target{PidFD: -1}
	c.Row, c.Cause = 0, ""
	for _, r := range rows {
		if errno := r.check(c); errno != 0 {
			c.Row = r.number
			c.Close()
			return errno
		}
	}
	return 0
}

// fail keeps the cause and answers the errno.
func (c *Call) fail(errno unix.Errno, format string, args ...any) unix.Errno {
	c.Cause = fmt.Sprintf(format, args...)
	return errno
}

// unexpected turns an error of reading about the target into an errno: a target
// that is gone is ESRCH, whenever that shows. What the supervisor may not see of
// a process the caller, which has no more rights, may not touch.
func (c *Call) unexpected(err error) unix.Errno {
	switch {
	case vanished(err):
		return c.fail(unix.ESRCH, "%v", err)
	case errors.Is(err, unix.EBADF):
		return c.fail(unix.EBADF, "%v", err)
	case errors.Is(err, os.ErrPermission) && c.reaped():
		return c.fail(unix.ESRCH, "%v", err)
	case errors.Is(err, os.ErrPermission):
		return c.fail(unix.EPERM, "%v", err)
	}
	return c.fail(unix.EOPNOTSUPP, "%v", err)
}

// reaped reports whether the target thread is gone: then the links to its
// namespaces say EACCES (proc_ns_readlink() in fs/proc/namespaces.c).
func (c *Call) reaped() bool { return c.Target.Thread != nil && !c.Target.Thread.Alive() }
