package ptrace

import "golang.org/x/sys/unix"

// Queued is a signal that waits for all of the tracee's process.
type Queued struct {
	Sig  unix.Signal
	Code int32 // siginfo_t's si_code: how it was sent
}

// Queued lists the signals that wait for the tracee's process, first those that came first. One
// for which there was no memory, or too many of its user's waited (RLIMIT_SIGPENDING), is
// missing.
func (s *Stopped) Queued() ([]Queued, error) {
	var all []Queued
	for {
		var p [32]rawSiginfo
		n, err := s.peekShared(len(all), p[:])
		if err != nil {
			return nil, err
		}
		for _, si := range p[:n] {
			all = append(all, Queued{unix.Signal(si.signo), si.code})
		}
		if n < len(p) {
			return all, nil
		}
	}
}
