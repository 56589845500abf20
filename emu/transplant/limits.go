// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"encoding/binary"
	"fmt"

	"cloneat-emu/ptrace"

	"golang.org/x/sys/unix"
)

// numLimits is RLIM_NLIMITS.
const numLimits = 16

// limitSize is the size of a struct rlimit64.
const limitSize = 16

// limits are all of prlimit(2)'s, by RLIMIT_*.
type limits [numLimits]unix.Rlimit

// queueLimits asks a process for its own limits: prlimit(2) from outside wants
// the same user or CAP_SYS_RESOURCE.
func queueLimits(s *script, out uintptr) {
	for i := uintptr(0); i < numLimits; i++ {
		s.add("prlimit", uint64(i), unix.SYS_PRLIMIT64, 0, i, 0, out+i*limitSize)
	}
}

func decodeLimits(p []byte) (l limits) {
	for i := range l {
		l[i].Cur = binary.LittleEndian.Uint64(p[i*limitSize:])
		l[i].Max = binary.LittleEndian.Uint64(p[i*limitSize+8:])
	}
	return l
}

// relaxLimits lifts the limits that the rebuilding itself could meet: on memory, and on time,
// where C would get a SIGXCPU that it keeps, or be killed.
func (b *build) relaxLimits() error {
	b.limits = b.own.limits
	for _, i := range []int{
		unix.RLIMIT_AS, unix.RLIMIT_DATA, unix.RLIMIT_STACK, unix.RLIMIT_FSIZE,
		unix.RLIMIT_CPU, unix.RLIMIT_RTTIME,
	} {
		b.raiseLimit(i, unix.RLIM_INFINITY)
	}
	if b.opt.ShareFiles {
		b.raiseLimit(unix.RLIMIT_NPROC, unix.RLIM_INFINITY) // see hand
	}
	need := uint64(MaxFiles + 16)
	if n := len(b.snap.fds); n > 0 {
		need = max(need, uint64(b.snap.fds[n-1].fd)+MaxFiles+16)
	}
	b.raiseLimit(unix.RLIMIT_NOFILE, need)
	return b.script.run()
}

// checkLimits refuses early what setLimits could not set: a descriptor above
// C's limit, for one, would fail for another reason before.
func (b *build) checkLimits() error {
	for i, want := range b.snap.own.limits {
		have := b.limits[i]
		if want.Max <= have.Max {
			continue
		}
		have.Max = want.Max
		if unix.Prlimit(b.c.TID, i, &have, nil) != nil {
			var r ptrace.Result
			b.limitItself(i, have, &r)
			if err := b.script.run(); err != nil {
				return err
			}
			if r.Errno != 0 {
				if err := b.limitLeft(i); err != nil {
					return err
				}
				continue
			}
		}
		b.limits[i] = have
	}
	return b.checkTable()
}

// checkTable refuses a child that could not get the caller's descriptors: a limit does not
// touch those that are open, but C opens them, and one more that brings them. What relaxLimits
// could not raise may be below a hard limit that has been raised since.
func (b *build) checkTable() error {
	n := len(b.snap.fds)
	if b.opt.ShareFiles || n == 0 {
		return nil
	}
	last := uint64(b.snap.fds[n-1].fd)
	need, limit := max(uint64(n), last)+1, b.limits[unix.RLIMIT_NOFILE]
	if need > limit.Max {
		return unsupported("the caller has %d descriptors, up to number %d, and the target's child can have %d: "+
			"raising that wants CAP_SYS_RESOURCE", n, last, limit.Max)
	}
	b.raiseLimit(unix.RLIMIT_NOFILE, need)
	return b.script.run()
}

// limitLeft refuses a hard limit that nobody here may raise.
func (b *build) limitLeft(i int) error {
	if b.opt.BestEffort {
		b.leave("resource limit %d of the target's child cannot be raised to the caller's", i)
		return nil
	}
	return unsupported("the target's resource limit %d is lower than the caller's, "+
		"and raising it wants CAP_SYS_RESOURCE", i)
}

// raiseLimit raises a soft limit to value, and the hard one with it where the
// operator may (CAP_SYS_RESOURCE), else as far as C itself may. What then
// fails fails where it is needed.
func (b *build) raiseLimit(i int, value uint64) {
	old := b.limits[i]
	if old.Cur >= value {
		return
	}
	raised := unix.Rlimit{Cur: value, Max: max(value, old.Max)}
	if unix.Prlimit(b.c.TID, i, &raised, nil) != nil {
		raised = unix.Rlimit{Cur: min(value, old.Max), Max: old.Max}
		b.limitItself(i, raised, nil)
	}
	b.limits[i] = raised
}

// limitItself queues the call by which C sets a limit of its own.
func (b *build) limitItself(i int, l unix.Rlimit, r *ptrace.Result) {
	if r == nil {
		r = new(ptrace.Result)
	}
	b.script.room(1, limitSize)
	p := binary.LittleEndian.AppendUint64(nil, l.Cur)
	p = binary.LittleEndian.AppendUint64(p, l.Max)
	b.script.ask(r, "prlimit", unix.SYS_PRLIMIT64, 0, uintptr(i), b.script.data(p), 0)
}

// setLimits gives C the caller's limits, by whoever has the right: the
// operator or C.
func (b *build) setLimits() error {
	if err := b.script.run(); err != nil { // under the limits that were
		return err
	}
	var results [numLimits]ptrace.Result
	for i, want := range b.snap.own.limits {
		if want != b.limits[i] && unix.Prlimit(b.c.TID, i, &want, nil) != nil {
			b.limitItself(i, want, &results[i])
		}
	}
	if err := b.script.run(); err != nil {
		return err
	}
	for i, r := range results {
		switch {
		case r.Errno == unix.EPERM:
			if err := b.limitLeft(i); err != nil {
				return err
			}
		case r.Errno != 0:
			return fmt.Errorf("prlimit %d: %w", i, r.Errno)
		}
	}
	return nil
}
