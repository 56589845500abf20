package launch

import (
	"os"
	"os/signal"

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
//  4. the keeper's signal to itself comes back behind the other one
type sentinel struct {
	got  chan os.Signal
	seen map[int]bool
}

// fence is the last signal that the Go runtime delivers of those that are pending.
const fence = unix.Signal(nsig)

// newSentinel starts to listen; the process survives all signals of the group.
func newSentinel() *sentinel {
	s := &sentinel{got: make(chan os.Signal, 4*nsig), seen: make(map[int]bool)}
	signal.Notify(s.got, append(Forwarded(), fence)...)
	return s
}

// had reports whether this process got sig as well, and forgets it.
func (s *sentinel) had(sig int) bool {
	_ = unix.Setpgid(0, unix.Getpgrp()) // no change; a group leader of a session gets EPERM after the lock
	_ = unix.Kill(unix.Getpid(), fence)
	for got := range s.got {
		if got == fence {
			break
		}
		s.seen[int(got.(unix.Signal))] = true
	}
	had := s.seen[sig]
	delete(s.seen, sig)
	return had
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
