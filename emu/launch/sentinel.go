// SPDX-License-Identifier: Apache-2.0

package launch

import (
	"os"
	"os/signal"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// sentinel tells a signal to the process group from one to the front alone. Neither
// siginfo says which it was: kill(-pgid) and kill(pid) look alike, and the terminal's
// come from the kernel. But the keeper is in the group as well, so a signal that it
// did not get was meant for the front.
//
// The order is what makes it exact:
//
//  1. somebody signals the group: kill_pgrp() holds tasklist_lock for all members
//  2. the front wakes up, asks the keeper to relay the signal
//  3. the keeper's setpgid() takes tasklist_lock for writing: 1 is complete now
//  4. a fence, which the keeper sends itself, comes back: a thread has the signal, since
//     those that are pending are taken in the order of their numbers
//  5. an echo comes back from each thread: none is in its handler any more, in which
//     all signals are blocked
//  6. two more fences come back: the runtime's queue (signal_recv() in
//     runtime/sigqueue.go) looks at its words one by one, the fence's last
//
// The fence is for the one thread which takes all signals that a Go program may block;
// see forSentinel. The others (SIGINT, SIGTERM and the like) any thread may take.
type sentinel struct {
	got  chan os.Signal
	seen map[int]bool
}

const (
	fence = unix.Signal(nsig) // the highest number
	echo  = unix.SIGSYS       // the runtime opens it in all threads, and a thread's own means nothing
)

// StartKeeper is Start of the keeper, as its sentinel needs it.
func StartKeeper(spec *Spec, own []int) (pid int, err error) {
	forSentinel(func() { pid, err = Start(StageKeeper, spec, own, nil) })
	return pid, err
}

// forSentinel starts a process with everything blocked that its sentinel will listen to.
// The runtime there keeps the mask (but for blockableSig() in runtime/signal_unix.go),
// except in one thread of its own, where it opens what it was asked to notify of
// (ensureSigM()).
func forSentinel(start func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := current().Blocked
	mask := before
	for _, sig := range append(Forwarded(), fence) {
		mask |= 1 << (sig.(unix.Signal) - 1)
	}
	setMask(mask)
	defer setMask(before)
	start()
}

// newSentinel starts to listen; the process survives all signals of the group.
func newSentinel() *sentinel {
	s := &sentinel{got: make(chan os.Signal, 4*nsig), seen: make(map[int]bool)}
	signal.Notify(s.got, append(Forwarded(), fence, echo)...)
	return s
}

// had reports whether this process got sig as well, and forgets it.
func (s *sentinel) had(sig int) bool {
	_ = unix.Setpgid(0, unix.Getpgrp()) // no change; a group leader of a session gets EPERM after the lock
	s.pass()
	s.echoes()
	s.pass()
	s.pass()
	had := s.seen[sig]
	delete(s.seen, sig)
	return had
}

// pass sends a fence through the process.
func (s *sentinel) pass() {
	_ = unix.Kill(unix.Getpid(), fence)
	s.until(fence)
}

// echoes has one from each thread, those included that are born meanwhile.
func (s *sentinel) echoes() {
	asked := make(map[string]bool)
	for fresh := true; fresh; {
		fresh = false
		tasks, _ := os.ReadDir("/proc/self/task")
		for _, task := range tasks {
			if asked[task.Name()] {
				continue
			}
			asked[task.Name()], fresh = true, true
			tid, _ := strconv.Atoi(task.Name())
			if unix.Tgkill(unix.Getpid(), tid, echo) == nil {
				s.until(echo)
			}
		}
	}
}

// until notes what comes before the given signal.
func (s *sentinel) until(end os.Signal) {
	for got := range s.got {
		if got == end {
			return
		}
		s.seen[int(got.(unix.Signal))] = true
	}
}

// Forwarded lists the signals that the front passes on: all that can be caught and
// say nothing about the front itself.
func Forwarded() []os.Signal {
	var list []os.Signal
	for sig := unix.Signal(1); sig < fence; sig++ {
		switch sig {
		case unix.SIGKILL, unix.SIGSTOP, // cannot be caught
			unix.SIGSEGV, unix.SIGBUS, unix.SIGFPE, unix.SIGILL, unix.SIGTRAP, unix.SIGSYS, // faults of ours
			unix.SIGCHLD, unix.SIGPIPE, unix.SIGURG, unix.SIGPROF, // the runtime's, or about our own files
			32, 33: // the C library's own
		default:
			list = append(list, sig)
		}
	}
	return list
}
