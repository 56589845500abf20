package emu

import (
	"golang.org/x/sys/unix"

	"cloneat-emu/ptrace"
)

// untilExec is CLONE_VFORK where the kernel knows nothing of it: the child
// stays traced until it execs or exits, and the caller stopped as long.
func (c *call) untilExec(child *ptrace.Stopped) error {
	c.leaveRoom()
	// Meanwhile the caller looks as if it slept: /proc shows its own mask.
	if err := c.released(c.caller.End()); err != nil {
		child.Kill()
		return err
	}
	c.unlock() // a stopped caller keeps still by itself
	options := unix.PTRACE_O_TRACEEXEC | unix.PTRACE_O_TRACEEXIT | unix.PTRACE_O_EXITKILL
	if err := child.SetOptions(options); err != nil {
		return goneIsFine(err)
	}
	r, err := child.Cont(0)
	for err == nil {
		var stop ptrace.Stop
		if child, stop, err = r.Wait(); err != nil {
			break
		}
		switch stop.Kind {
		case ptrace.Event: // it has exec'ed, or is about to end
			return goneIsFine(c.released(child.Detach(0)))
		case ptrace.Group:
			r, err = child.Listen()
		case ptrace.Signal:
			r, err = child.Cont(int(stop.Sig))
		default:
			r, err = child.Cont(0)
		}
	}
	return goneIsFine(err)
}

// goneIsFine: a child that ended is an end like any other.
func goneIsFine(err error) error {
	if ptrace.Gone(err) {
		return nil
	}
	return err
}
