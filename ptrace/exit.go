// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// WaitExit lets the tracee run to its end and returns how it ended, as wait(2)
// tells it. Signals, job control and execs go by as if nobody traced. A zombie is
// its tracer's before it is its parent's (kernel: wait_consider_task), so that
// the parent, however quick, reaps only afterwards.
//
// Precondition: the tracee leads its thread group, is not this process's own
// child, and no PTRACE_O_* option is set. ErrGone: an exec of another of its
// threads has taken it away; it goes on untraced.
func (r *Running) WaitExit() (unix.WaitStatus, error) {
	for {
		var si siginfo
		err := waitid(r.TID, &si, waitFlags|unix.WSTOPPED|unix.WEXITED)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return 0, fmt.Errorf("waitid pid %d: %w (%w)", r.TID, ErrGone, err)
		case si.code == Exited:
			return unix.WaitStatus(si.status & 0xff << 8), nil
		case si.code == Killed:
			return unix.WaitStatus(si.status), nil
		case si.code == Dumped:
			return unix.WaitStatus(si.status | 0x80), nil
		}
		s := &Stopped{TID: r.TID, Last: decode(int(si.status))}
		if err := s.passOn(); err != nil && !Gone(err) {
			return 0, err
		}
	}
}

// passOn resumes the tracee as the stop would go on without a tracer.
func (s *Stopped) passOn() error {
	var err error
	switch s.Last.Kind {
	case Signal:
		_, err = s.Cont(int(s.Last.Sig))
	case Group:
		_, err = s.Listen()
	default: // the end of a group-stop, after Listen
		_, err = s.Cont(0)
	}
	return err
}
