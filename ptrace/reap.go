// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"bytes"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// interrupted is the error of an injected call that a signal has ended (ERESTARTSYS).
const interrupted = unix.Errno(512)

// ReapChild has the tracee reap a dead tracee of this thread (see Die) that is its process's
// child, and has the number id for it. It reports false where the tracee was killed first: then the
// child is left to another process, which must not hear of it either. The child is as it was or,
// if the tracee died when it was about to reap it, a zombie for all to see (see Reaped).
//
//	tracer                        tracee
//	                              wait4: sleeps, since the child is traced
//	is it there? Reap             is woken, and reaps
//
// A SIGSTOP that comes in between ends the wait4: it is kept for the end of the scope, and the
// tracee waits again.
func (i *Injection) ReapChild(child *Stopped, id uintptr) (reaped bool) {
	return i.reapBy(child, func(wait waiter) error {
		_, err := i.callBy(wait, unix.SYS_WAIT4, waitFor(id))
		return err
	})
}

// ReapChild is that of [Injection] for a child in the making, which makes the call in the area.
func (b *Batch) ReapChild(child *Stopped, id uintptr) (reaped bool) {
	return b.i.reapBy(child, func(wait waiter) error {
		v, err := b.makes(wait, unix.SYS_WAIT4, waitFor(id))
		if err == nil && v < 0 {
			err = unix.Errno(-v)
		}
		return err
	})
}

func waitFor(id uintptr) []uintptr { return []uintptr{id, 0, unix.WALL, 0} }

// reapBy has the tracee reap by the wait4 that call makes.
func (i *Injection) reapBy(child *Stopped, call func(waiter) error) (reaped bool) {
	defer i.KeepStops()()
	for {
		err := call(func(r *Running) (*Stopped, Stop, error) {
			if !reaped && i.sleepsIn(r, unix.SYS_WAIT4) {
				if child.OnReap != nil {
					child.OnReap()
				}
				child.Reap()
				reaped = true
			}
			return i.waiter()(r)
		})
		if !errors.Is(err, interrupted) {
			return err == nil || reaped && !Gone(err)
		}
	}
}

// sleepsIn waits until the tracee, which is on its way there, sleeps in call nr; false if it
// stops or dies before.
func (i *Injection) sleepsIn(r *Running, nr int) bool {
	const anyChange = unix.WEXITED | unix.WSTOPPED | unix.WNOHANG | unix.WNOWAIT
	in := fmt.Appendf(nil, "%d ", nr)
	l := i.lookout()
	defer l.end()
	for n := 0; ; n++ {
		call, err := readProc(r.TID, "syscall")
		if err != nil {
			return !Gone(err) && !errors.Is(err, unix.ENOENT) // nobody may look: it will be there
		}
		var si siginfo // asked later: who has stopped at the call's end is shown in it, too
		if err := waitid(r.TID, &si, waitFlags|anyChange); err != nil || si.pid != 0 {
			return false
		}
		if bytes.HasPrefix(call, in) {
			return true
		}
		if pending(r.TID)&(1<<(uint(unix.SIGKILL)-1)) != 0 {
			return false
		}
		l.pause(n)
		l.tell()
	}
}
