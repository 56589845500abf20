// SPDX-License-Identifier: Apache-2.0

package enter

import (
	"runtime"

	"golang.org/x/sys/unix"

	"cloneat-emu/ptrace"
)

// ending is how a process has ended.
type ending struct {
	ws  unix.WaitStatus
	err error
}

// watch traces a process to learn how it ends, for kernels that keep no status
// for others (before Linux 6.15): its init may reap it before anybody looks, but a
// tracer comes before the parent. Nothing is asked of the tracer but that, so the
// process is slowed down by its signals only; it goes on untraced when we go.
//
// The goroutine has a thread of its own, which is the tracer. It ends with the
// process. Errors: EPERM if another one traces it or the rights are missing.
func watch(pid int) (<-chan ending, error) {
	began, ended := make(chan error), make(chan ending, 1)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		r, err := ptrace.Seize(pid, 0)
		began <- err
		if err != nil {
			return
		}
		for {
			ws, err := r.WaitExit()
			if !ptrace.Gone(err) {
				ended <- ending{ws, err}
				return
			}
			// Another thread of it has executed a program, and has its number now.
			if r, err = ptrace.Seize(pid, 0); err != nil {
				ended <- ending{err: err}
				return
			}
		}
	}()
	return ended, <-began
}
