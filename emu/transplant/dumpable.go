// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"golang.org/x/sys/unix"
)

// A process is dumped for its user to read (1), not at all (0), or for root alone (2).
// The third cannot be asked for: a process that changes its user, or executes what it may
// not read, gets what fs.suid_dumpable says, on many systems that (commit_creds() in
// kernel/cred.c, would_dump() in fs/exec.c). Who is not dumped for its user is not traced
// by that user either.

const suidDumpRoot = 2

func (a *answers) dumpable() uintptr { return a.prctl[unix.PR_GET_DUMPABLE].Value }

// needsVeil reports whether the memory that C was born with must not become the
// caller's. Access to /proc/PID/mem is checked when it is opened: between C's birth
// and its being made non-dumpable (askAttrs) the target's user may have done so,
// and would read the caller's memory there, which that user may not if the caller is
// not dumpable. An exec gives C new memory; the ladder cannot be read by C, so that
// it is not dumpable from the start (would_dump() in fs/exec.c). A target that is not
// dumpable itself gave birth to a C that never was.
func (b *build) needsVeil() bool {
	return b.own.dumpable() == 1 && b.snap.own.dumpable() != 1 && tracesAnybody()
}

// wantedDumpable is what C gets: what the caller is or, where a change of ids no longer leads
// there, nothing. It could lead to a C that its user may read.
func (b *build) wantedDumpable() uintptr {
	v := b.snap.own.dumpable()
	if v != suidDumpRoot {
		return v
	}
	if now, err := readNumber("/proc/sys/fs/suid_dumpable"); err == nil && now != suidDumpRoot {
		return 0
	}
	return v
}

// queueDumpable gives C's memory what the caller's had. A change of ids has taken it away.
func (b *build) queueDumpable() {
	if v := b.wantedDumpable(); v != suidDumpRoot {
		b.script.add("prctl(PR_SET_DUMPABLE)", uint64(v), unix.SYS_PRCTL, unix.PR_SET_DUMPABLE, v, 0, 0, 0)
	}
}

// markDumpable has C change its user for a moment, if that is what made the caller one
// that is dumped for root. It moves capabilities about (capabilities(7)).
func (b *build) markDumpable(want *credentials) bool {
	if b.opt.ShareVM || b.wantedDumpable() != suidDumpRoot {
		return false
	}
	fsuid := uintptr(want.uid[3])
	b.script.try("setfsuid", unix.SYS_SETFSUID, fsuid^1)
	b.script.try("setfsuid", unix.SYS_SETFSUID, fsuid)
	return true
}
