// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/abi"
	"cloneat-emu/emu/check"
	"cloneat-emu/emu/listen"
	"cloneat-emu/emu/transplant"
	"cloneat-emu/ptrace"
)

// call is one call being served, by one locked OS thread.
type call struct {
	s            *Server
	n            listen.Notification
	kind         kind // which call it is
	start        time.Time
	pid          int
	hint         int
	args         *abi.Args
	check        *check.Call
	caller       *ptrace.Injection     // nil until the caller is stopped
	early        *verdict              // how the call ended before its time, if it did
	rseq         ptrace.RseqConfig     // of the caller, while the init engine works
	root         *os.File              // the target's, while the init engine works, or nil
	father       *ptrace.Stopped       // C1 of the init engine, dead, which nobody has reaped
	callerPIDFD  int                   // of the caller's process, while a transplant is made, or -1
	oneMemory    bool                  // caller and target have one address space
	memoryIsSame bool                  // the child is born with the caller's memory, or a copy that the kernel makes of it
	timeNS       *os.File              // the child of a transplant has to join it, or nil
	lent         bool                  // the child is born with the target's table of descriptors
	left         *transplant.Leftovers // of child and caller; nil but for a transplant
	company      []int                 // other processes that share the caller's memory
	snap         *transplant.Snapshot  // nil but for a transplant
	rebuilt      int                   // the child of a transplant, while it is
	locked       []int                 // processes that this worker may attach to
	event        Event
	told         bool // of the event
	inRoom       bool
	childLeft    bool // the call is over, but for its child (stuck.go)
	buries       bool // the target has to reap a child
	behind       bool // the call is over, but for that (behind.go)
	lost         bool // a tracee could not be let go: this thread must end, so that the kernel does it
}

// serve runs a call from its receipt to its end. It reports false where a
// tracee could not be let go, or died before it was: the thread must end, so
// that the kernel does it, and whoever waits for the dead one gets it.
func (s *Server) serve(n listen.Notification) bool {
	c := &call{
		s: s, n: n, kind: kinds[n.Nr], start: time.Now(), callerPIDFD: -1,
		pid: int(int32(n.Args[0])), hint: int(int32(n.Args[1])),
	}
	c.event = Event{Name: c.kind.name, Caller: n.TID, Pid: c.pid, Hint: c.hint, ArgsPtr: n.Args[2]}
	// Rows 2 to 6 come before there is room: a page of the caller's may take for ever
	// (userfaultfd(2), a file whose server hangs), and nothing is held meanwhile but this thread.
	args, errno := abi.Decode(callerMemory{n.TID}, n.Args[2])
	c.enterRoom()
	defer c.leaveRoom()
	c.finish(c.run(args, errno))
	return !c.lost
}

// enterRoom waits until there is room to work on this call.
func (c *call) enterRoom() {
	c.s.room <- struct{}{}
	c.inRoom = true
}

// leaveRoom lets another call be worked on.
func (c *call) leaveRoom() {
	if c.inRoom {
		c.inRoom = false
		<-c.s.room
	}
}

// verdict is how a call ended: a child's id, an errno, or neither because the
// call has to be made again or its caller is gone.
type verdict struct {
	value   int64
	errno   unix.Errno
	cause   string
	drop    bool  // nobody is to be told: gone, or already told
	again   bool  // the caller makes the call again
	company []int // whom the call has met, and begins anew because of
}

func fails(errno unix.Errno, cause string) verdict { return verdict{errno: errno, cause: cause} }

// run does the checks in the spec's order and makes the child. The arguments have been read, or
// errno says how that failed.
func (c *call) run(args *abi.Args, errno unix.Errno) verdict {
	c.step("received")
	if !c.s.means.there() {
		return fails(unix.ENOMEM, "the supervisor's limit of open files (RLIMIT_NOFILE) was lowered")
	}
	caller, err := c.open(args)
	switch {
	case scarce(err):
		return fails(unix.ENOMEM, err.Error())
	case err != nil && listen.Valid(c.s.fd, c.n.ID): // it waits, whatever /proc says
		return fails(unix.EBUSY, fmt.Sprintf("/proc does not show the caller to the supervisor (mount option hidepid): %v", err))
	case err != nil:
		return verdict{drop: true}
	}
	defer caller.Close()
	if !listen.Valid(c.s.fd, c.n.ID) {
		return verdict{drop: true} // what was read may be another's
	}
	c.s.known.Keep(caller)
	c.step("caller opened")
	c.args, c.event.Args = args, args
	switch {
	case errno == unix.EFAULT && c.n.Args[2] != 0 && callerMemory{c.n.TID}.forbidden():
		return fails(unix.EBUSY, "the caller may not be traced by the supervisor, nor its arguments be read")
	case errno != 0:
		return fails(errno, "")
	}
	c.check = &check.Call{
		Caller: caller, Pid: c.pid, Naming: c.kind.naming, Hint: c.hint, Args: args, Access: c.access,
	}
	defer c.check.Close()
	defer c.tidyAfterCaller()
	errno = c.rows()
	c.step("checked")
	switch {
	case c.early != nil:
		return *c.early
	case errno != 0:
		c.s.log.WithField("caller", c.n.TID).WithField("row", c.check.Row).Debug(c.check.Cause)
		return fails(errno, "")
	case !c.attach():
		return *c.early
	}
	c.step("caller stopped")
	return c.make()
}

// open looks at the caller; not anew where nothing is needed but what is known of it.
func (c *call) open(args *abi.Args) (*check.Caller, error) {
	plain := args != nil && c.hint == 0 && c.kind.naming == check.ByNumber && !args.Has(unix.CLONE_THREAD)
	if !plain {
		return check.OpenCaller(c.n.TID)
	}
	if caller := c.s.known.Self(c.n.TID, c.pid); caller != nil {
		return caller, nil
	}
	return c.s.known.Open(c.n.TID, c.pid)
}

// rows are rows 7 to 14. Where the thread that row 10 chose ends under a later
// row, its process may live on (an exec of another thread, a leader that exits
// first): the rows begin anew, and 8 or 10 end it if nothing is left. A caller that was
// killed is nobody's to tell: the rows may find no one to judge, or itself as the target.
func (c *call) rows() unix.Errno {
	for {
		errno := c.check.Check()
		if errno != unix.ESRCH || c.check.Row <= 10 || c.early != nil {
			return errno
		}
		if !listen.Valid(c.s.fd, c.n.ID) {
			c.early = &verdict{drop: true}
			return errno
		}
	}
}

// finish tells of the verdict and delivers it, in this order: what the caller does next
// is told later. A call that made a child has mostly done both before.
func (c *call) finish(v verdict) {
	if c.behind {
		v = verdict{drop: true} // the caller was answered then
	}
	v = c.s.patience.judge(c.n.TID, v)
	if !v.drop && !v.again {
		c.tell(v)
	}
	if c.caller != nil {
		c.letGo(v)
	} else if !v.drop && c.s.waiting.take(c.n.TID, c.n.ID) {
		c.answer(v)
	}
	if c.left != nil {
		c.left.Close()
	}
	c.lost = c.lost || ptrace.Tracing()
	c.unlock()
	c.step("over")
}

// unlock lets other workers have the processes: where this thread has to end to
// let them go, when it has.
func (c *call) unlock() {
	locked := c.locked
	c.locked = nil
	if !c.lost || len(locked) == 0 {
		c.s.locks.unlock(locked...)
		return
	}
	go func(tid int) {
		for unix.Tgkill(unix.Getpid(), tid, 0) == nil {
			time.Sleep(100 * time.Microsecond)
		}
		c.s.locks.unlock(locked...)
	}(unix.Gettid())
}

// answer ends a call whose caller was never stopped.
func (c *call) answer(v verdict) {
	_ = listen.Send(c.s.fd, c.n.ID, v.value, v.errno) // a caller that is gone needs none
}

// tell reports the call's end, once, without waiting for whoever hears of it. It is
// called before the caller can go on: the next call is another worker's.
func (c *call) tell(v verdict) {
	if c.told {
		return
	}
	c.told = true
	e := &c.event
	e.Result, e.Cause, e.Duration = v.value, v.cause, time.Since(c.start)
	if v.errno != 0 {
		e.Result = -int64(v.errno)
	}
	if v.cause != "" {
		c.s.log.WithField("caller", c.n.TID).WithField("pid", c.pid).Warn(v.cause)
	}
	if c.s.cfg.OnEvent != nil {
		c.s.cfg.OnEvent(*e)
	}
}
