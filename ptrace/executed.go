// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// ErrExecuted says that a thread of a tracee's process executed a program: the tracee is
// dead, or was that thread, and its number may be the new program's. Nothing of the
// process is to be touched any more, and this thread has to end: the new program may be
// its tracee. Gone is true for it.
var ErrExecuted = fmt.Errorf("a thread of the process executed a program: %w", ErrGone)

// StopBeside seizes and stops one more thread of a process of which this thread has
// stopped siblings. An exec in that process kills those and waits until their tracer has
// reaped them, which it cannot while it waits for the exec:
//
//	thread T of the process            siblings        this thread
//	execve: takes cred_guard_mutex
//	                                                   SEIZE T: waits for the mutex
//	de_thread(): kills the siblings    die, traced
//	waits until they are reaped
//
// or, where T was seized before it took the mutex, waits for T's stop. So if it takes
// long, another thread of this process looks after the siblings. Where it found one dead,
// or T went away without this thread's having reaped it, the error is ErrExecuted.
//
// Only those of T's own process are to be named as siblings. awaited is as in
// [Running.WaitFor].
func StopBeside(tid, options int, siblings []int, awaited func()) (*Stopped, error) {
	over, dead := make(chan struct{}), make(chan int, 1)
	timer := time.AfterFunc(stopBound, func() { dead <- reapUntil(over, siblings) })
	s, err := stop(tid, options, awaited)
	close(over)
	if !timer.Stop() && <-dead > 0 {
		return nil, fmt.Errorf("stopping pid %d: %w", tid, ErrExecuted)
	}
	return s, err
}

// stopBound is how long a thread may take to stop before anybody is suspicious.
const stopBound = 10 * time.Millisecond

func stop(tid, options int, awaited func()) (*Stopped, error) {
	if err := AwaitCalm(tid); err != nil {
		return nil, err
	}
	r, err := Seize(tid, options)
	if err != nil {
		return nil, err
	}
	r.Observe()
	if err := r.Interrupt(); err != nil {
		// SEIZE waited for the end of an exec, and has the new program, which has
		// the leader's number. A tracee that is only dead can be interrupted.
		return nil, fmt.Errorf("%w (%w)", ErrExecuted, err)
	}
	s, _, err := r.AwaitStop(awaited)
	return s, err
}

// reapUntil takes the exits of another thread's tracees, until over is closed.
func reapUntil(over <-chan struct{}, tids []int) (dead int) {
	for {
		for _, tid := range tids {
			if died, _ := reap(tid, 0); died {
				dead++
			}
		}
		select {
		case <-over:
			return dead
		case <-time.After(time.Millisecond):
		}
	}
}

// reap takes the exit of a tracee of this thread (flags WNOTHREAD) or of any of this
// process, unless it is a child of this process itself, for which somebody else waits.
// It reports whether it did, and whether there is such a tracee, alive or dead. One that
// is there no more, though nobody has reaped it, has given its number away in an exec.
func reap(tid, flags int) (died, there bool) {
	if ownChild(tid) {
		return false, true
	}
	var si siginfo
	err := waitid(tid, &si, flags|unix.WALL|unix.WEXITED|unix.WNOHANG)
	return err == nil && si.pid != 0, err != unix.ECHILD
}
