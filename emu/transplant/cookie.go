// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"

	"cloneat-emu/internal/threads"
	"cloneat-emu/ptrace"
)

// A thread's cookie says with whom it shares a core, and is inherited (sched_core_fork() in
// kernel/sched/core_sched.c). It cannot be set, but taken from a thread and given to one.

// setCookie gives C the caller's. Before Linux 5.14, and where no core has two threads,
// there are none.
func (b *build) setCookie() error {
	want, err := cookie(b.snap.caller.TID)
	if err != nil {
		return nil
	}
	have, err := cookie(b.c.TID)
	if err != nil || want == have {
		return err
	}
	if err := passCookie(b.snap.caller.TID, b.c.TID); err != nil {
		if errors.Is(err, unix.ESRCH) {
			return ptrace.ErrGone
		}
		return fmt.Errorf("core scheduling: %w", err)
	}
	return nil
}

// passCookie lets a thread take the cookie of from, give it to to, and end.
func passCookie(from, to int) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread and its cookie end with the goroutine
		err := shareCookie(unix.PR_SCHED_CORE_SHARE_FROM, from)
		if err == nil {
			err = shareCookie(unix.PR_SCHED_CORE_SHARE_TO, to)
		}
		done <- err
	}()
	defer threads.Renew()
	return <-done
}

func shareCookie(how uintptr, tid int) error {
	return unix.Prctl(unix.PR_SCHED_CORE, how, uintptr(tid), unix.PR_SCHED_CORE_SCOPE_THREAD, 0)
}
