// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"bytes"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// ReapChild has the tracee reap a dead tracee of this thread (see Die) that is its process's
// child, and has the number id for it. It reports false, and the child is as it was, where the
// tracee was killed first: then the child is left to another process, which must not hear of it
// either.
//
//	tracer                        tracee
//	                              wait4: sleeps, since the child is traced
//	is it there? Reap             is woken, and reaps
func (i *Injection) ReapChild(child *Stopped, id uintptr) (reaped bool) {
	_, _ = i.callBy(func(r *Running) (*Stopped, Stop, error) {
		if !reaped && r.sleepsIn(unix.SYS_WAIT4) {
			child.Reap()
			reaped = true
		}
		return r.Wait()
	}, unix.SYS_WAIT4, []uintptr{id, 0, unix.WALL, 0})
	return reaped
}

// sleepsIn waits until the tracee, which is on its way there, sleeps in call nr; false if it
// stops or dies before.
func (r *Running) sleepsIn(nr int) bool {
	const anyChange = unix.WEXITED | unix.WSTOPPED | unix.WNOHANG | unix.WNOWAIT
	in := fmt.Appendf(nil, "%d ", nr)
	for i := 0; ; i++ {
		call, err := readProc(r.TID, "syscall")
		switch {
		case err != nil:
			return !Gone(err) && !errors.Is(err, unix.ENOENT) // nobody may look: it will be there
		case bytes.HasPrefix(call, in):
			return true
		}
		var si siginfo
		if err := waitid(r.TID, &si, waitFlags|anyChange); err != nil || si.pid != 0 {
			return false
		}
		if pending(r.TID)&(1<<(uint(unix.SIGKILL)-1)) != 0 {
			return false
		}
		pause(i)
	}
}
