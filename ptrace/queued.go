// SPDX-License-Identifier: Apache-2.0

package ptrace

import "golang.org/x/sys/unix"

// Queued is a signal that waits for the tracee, or for all of its process.
type Queued struct {
	Sig  unix.Signal
	Code int32 // siginfo_t's si_code: how it was sent
	PID  int   // who sent it, or whose end it tells of
	info rawSiginfo
}

// Queued lists the signals that wait for the tracee's process, first those that came first. One
// for which there was no memory, or too many of its user's waited (RLIMIT_SIGPENDING), is
// missing.
func (s *Stopped) Queued() ([]Queued, error) {
	const shared = 1 // PTRACE_PEEKSIGINFO_SHARED
	return s.queue(shared)
}

// QueuedAlone lists those that wait for the tracee alone, which it takes before the others.
func (s *Stopped) QueuedAlone() ([]Queued, error) { return s.queue(0) }

func (s *Stopped) queue(which uint32) ([]Queued, error) {
	var all []Queued
	for {
		var p [32]rawSiginfo
		n, err := s.peekQueue(which, len(all), p[:])
		if err != nil {
			return nil, err
		}
		for _, si := range p[:n] {
			all = append(all, Queued{unix.Signal(si.signo), si.code, int(si.pid), si})
		}
		if n < len(p) {
			return all, nil
		}
	}
}

// Change is what a SIGCHLD tells of a child.
type Change struct {
	PID          int // for the tracee
	UID          uint32
	Code, Status int32 // CLD_*; exit status or signal
	Utime, Stime uint64
}

// The codes of a [Change], and of a waitid(2): CLD_* in include/uapi/asm-generic/siginfo.h.
const (
	Exited    = 1
	Killed    = 2
	Dumped    = 3
	Halted    = 5 // CLD_STOPPED
	Continued = 6
)

// Signal is the SIGCHLD of the change.
func (c Change) Signal() Queued {
	return Queued{unix.SIGCHLD, c.Code, c.PID, rawSiginfo{
		signo: int32(unix.SIGCHLD), code: c.Code, pid: int32(c.PID), uid: c.UID, status: c.Status,
		utime: int64(c.Utime), stime: int64(c.Stime),
	}}
}

// Queue lets the tracee send its own process, which is pid for it, a signal as it was: nobody else
// may, where it came from the kernel (do_rt_sigqueueinfo() in kernel/signal.c).
func (i *Injection) Queue(pid int64, q Queued) error {
	at, err := i.Args(bytesOf(&q.info))
	if err == nil {
		_, err = i.Call(unix.SYS_RT_SIGQUEUEINFO, uintptr(pid), uintptr(q.Sig), at)
	}
	return err
}

// QueueAlone lets the tracee, which is tid of process tgid for itself, send itself one.
func (i *Injection) QueueAlone(tgid, tid int64, q Queued) error {
	at, err := i.Args(bytesOf(&q.info))
	if err == nil {
		_, err = i.Call(unix.SYS_RT_TGSIGQUEUEINFO, uintptr(tgid), uintptr(tid), uintptr(q.Sig), at)
	}
	return err
}
