package ptrace

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// ErrExecuted says that another thread of a tracee's process executed a program: the
// tracee is dead, and its number may be the new program's.
var ErrExecuted = errors.New("another thread of the process executed a program")

// SeizeBeside is Seize for one more thread of a process of which this thread traces
// siblings. An exec in that process kills those and waits until their tracer has
// reaped them, which it cannot:
//
//	thread T of the process            siblings        this thread
//	execve: takes cred_guard_mutex
//	                                                   SEIZE T: waits for the mutex
//	de_thread(): kills the siblings    die, traced
//	waits until they are reaped
//
// So if SEIZE takes long, another thread of this process looks after them. Where it
// found one dead, ErrExecuted: nothing of the process is to be touched any more, and
// this thread has to end, for T may be its tracee.
func SeizeBeside(tid, options int, siblings []int) (*Running, error) {
	over, done := make(chan struct{}), make(chan struct{})
	dead := 0
	timer := time.AfterFunc(seizeBound, func() {
		defer close(done)
		dead = reapUntil(over, siblings)
	})
	r, err := Seize(tid, options)
	close(over)
	if !timer.Stop() {
		<-done
	}
	if dead > 0 {
		return nil, fmt.Errorf("ptrace(SEIZE) pid %d: %w", tid, ErrExecuted)
	}
	return r, err
}

// seizeBound is how long a SEIZE may take before anybody is suspicious.
const seizeBound = 10 * time.Millisecond

// reapUntil takes the exits of another thread's tracees, until over is closed.
func reapUntil(over <-chan struct{}, tids []int) (dead int) {
	for {
		for _, tid := range tids {
			if reapOfAnother(tid) {
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

// reapOfAnother takes the exit of a tracee of any thread of this process, unless it is
// our own child (see Running.reap).
func reapOfAnother(tid int) bool {
	var si siginfo
	return parent(tid) != os.Getpid() &&
		waitid(tid, &si, unix.WALL|unix.WEXITED|unix.WNOHANG) == nil && si.pid != 0
}
