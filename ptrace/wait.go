// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

const waitFlags = unix.WALL | unix.WNOTHREAD

// Wait blocks until the tracee stops. A tracee that ended is ErrGone.
//
// Precondition: no exec gives the tracee another number meanwhile. It is stopped, waits in
// the kernel, or runs calls of ours; a leader of its thread group may do as it likes. The
// kernel wakes a waiter by the number that the tracee has then (child_wait_callback() in
// kernel/exit.c), and would not wake this one: WaitFor and AwaitStop look again and again.
func (r *Running) Wait() (*Stopped, Stop, error) {
	for {
		s, stop, done, err := r.poll(0)
		if done {
			return s, stop, err
		}
	}
}

// soon is [Running.Poll] for as long as it is of use to look.
func (r *Running) soon() (s *Stopped, stop Stop, done bool, err error) {
	waits.try(func() bool {
		s, stop, done, err = r.poll(unix.WNOHANG)
		return done
	})
	return s, stop, done, err
}

// looks is how often a wait looks before it begins to sleep in between.
const looks = 50

// pause is what a wait does behind its i-th look. What it waits for may need the processor that
// it is on, and a thread that has a higher priority, as the supervisor's have, yields it to nobody.
func pause(i int) {
	if i < looks {
		yield()
		return
	}
	time.Sleep(min(time.Duration(i)*time.Microsecond, time.Millisecond))
}

// WaitFor is Wait with a bound: after that long it returns ErrBusy, and the
// tracee is still on its way to the stop. It polls, since a blocking wait
// cannot be given a time; the first polls come fast, because a tracee that can
// stop does so within tens of microseconds. awaited, if not nil, is called before
// each poll.
func (r *Running) WaitFor(bound time.Duration, awaited func()) (*Stopped, Stop, error) {
	end := time.Now().Add(bound)
	for i := 0; ; i++ {
		if awaited != nil {
			awaited()
		}
		s, stop, done, err := r.poll(unix.WNOHANG)
		switch {
		case done:
			return s, stop, err
		case i >= looks && time.Now().After(end):
			return nil, Stop{}, fmt.Errorf("pid %d: %w", r.TID, ErrBusy)
		}
		pause(i)
	}
}

// Bounds of [Running.AwaitStop].
const (
	deepBound = time.Second / 2
	slowBound = 30 * time.Second
)

// AwaitStop is Wait for an interrupted thread that may be unable to stop: ErrBusy
// for one that sleeps uninterruptibly (it waits for its vfork child, or is frozen)
// and has not run between two looks, half a second apart; after half a minute for
// one that only waits for a processor. A single sleep behind a slow disk looks the
// same, and may as well never end: it is ErrBusy, too, and one of many short ones is
// not. One that ends meanwhile is gone, though it takes longer than that to do so. awaited is as in
// WaitFor.
func (r *Running) AwaitStop(awaited func()) (*Stopped, Stop, error) {
	return r.await(awaited, func(s sleep) bool { return s.state == 'D' })
}

// awaitEntry is AwaitStop for a tracee on its way to the entry of a call, where
// nothing makes it sleep in any way unless it is frozen.
func (r *Running) awaitEntry() (*Stopped, Stop, error) {
	return r.await(nil, func(s sleep) bool { return s.state != 'R' })
}

func (r *Running) await(awaited func(), unable func(sleep) bool) (*Stopped, Stop, error) {
	var before sleep
	for end := time.Now().Add(slowBound); ; {
		s, stop, err := r.WaitFor(deepBound, awaited)
		if !errors.Is(err, ErrBusy) || time.Now().After(end) {
			return s, stop, err
		}
		if exiting(r.TID) {
			return nil, stop, fmt.Errorf("pid %d is about to end: %w", r.TID, ErrGone)
		}
		now := sleepOf(r.TID)
		if unable(now) && now == before {
			return nil, stop, err
		}
		before = now
	}
}

// sleep tells one sleep of a thread from another.
type sleep struct {
	state    byte // as in proc(5): D is uninterruptible
	switches uint64
}

// sleepOf reads what the thread does; a dead one sleeps for ever.
func sleepOf(tid int) sleep {
	b, err := readProc(tid, "status")
	if err != nil {
		return sleep{state: 'D'}
	}
	_, n, _ := bytes.Cut(b, []byte("\nvoluntary_ctxt_switches:\t"))
	n, _, _ = bytes.Cut(n, []byte("\n"))
	switches, _ := strconv.ParseUint(string(n), 10, 64)
	_, state, _ := bytes.Cut(b, []byte("\nState:\t"))
	return sleep{append(state, 'D')[0], switches}
}

// Poll looks for a stop or the end of the tracee without waiting, and reports
// whether there is one; then it is as [Running.Wait]. The end of a tracee is seen
// in a stop, too.
func (r *Running) Poll() (s *Stopped, stop Stop, done bool, err error) { return r.poll(unix.WNOHANG) }

// yield lets the tracee have this processor, if that is the one it waits for.
func yield() { _, _, _ = unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0) }

// poll takes a stop. A tracee that exits has none any more (ECHILD): its end is
// reaped apart, and not by that call, because the exit of a tracee that is this
// process's own child must be left for whoever waits for it as its parent
// (kernel: wait_task_zombie reaps where tracer and parent are one process),
// while the exit of any other must be taken, or its parent never hears of it.
func (r *Running) poll(flags int) (s *Stopped, stop Stop, done bool, err error) {
	var si siginfo
	err = waitid(r.TID, &si, waitFlags|unix.WSTOPPED|flags)
	switch {
	case errors.Is(err, unix.EINTR), err == nil && si.pid == 0:
		return nil, stop, false, nil
	case err == nil:
		stop = decode(int(si.status))
		return &Stopped{TID: r.TID, Last: stop, slept: r.slept}, stop, true, nil
	}
	gone := ErrGone
	if !r.left {
		if _, there := reap(r.TID, unix.WNOTHREAD); !there {
			gone = ErrExecuted
		}
	}
	return nil, Stop{Kind: Ended}, true, fmt.Errorf("pid %d: %w (%w)", r.TID, gone, err)
}

// Tracing reports whether the calling thread still has a tracee. A tracee that
// was killed between two requests is one until its exit has been taken: neither
// its parent nor anybody else can reap it while its tracer lives (kernel:
// wait_consider_task passes over a zombie that another thread traces).
func Tracing() bool {
	const anyChange = unix.WEXITED | unix.WSTOPPED | unix.WNOHANG | unix.WNOWAIT
	err := waitidOf(unix.P_ALL, 0, &siginfo{}, waitFlags|anyChange)
	return !errors.Is(err, unix.ECHILD)
}
