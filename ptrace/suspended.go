// SPDX-License-Identifier: Apache-2.0

package ptrace

import "golang.org/x/sys/unix"

// A tracee finds out whether its tracer is alive by its filters: they are in force again
// when a tracer is gone that suspended them (PTRACE_O_SUSPEND_SECCOMP; secure_computing()
// in kernel/seccomp.c). So the filter of package listen answers one call that nobody
// makes, SuspendedNr with SuspendedArg as its fourth argument, with InForce. Where the
// tracer has no right to suspend filters, the answer is InForce at once.
const (
	SuspendedNr  = 511
	SuspendedArg = 0x636c6f6e65617421
	InForce      = unix.EXFULL
)
