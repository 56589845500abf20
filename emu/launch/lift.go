// SPDX-License-Identifier: Apache-2.0

package launch

import "golang.org/x/sys/unix"

// LiftLimits puts off the limits that this process was started with as the program was and that
// would end it in the middle: a supervisor serves a build of a thousand programs, each of which has
// its own RLIMIT_CPU, and a Go runtime that gets no memory gives up. Without CAP_SYS_RESOURCE only
// what is left below the hard limits. It must come after the start of whatever leads to the
// program, which is to find the limits as they were.
func LiftLimits() {
	for _, which := range []int{unix.RLIMIT_CPU, unix.RLIMIT_AS, unix.RLIMIT_DATA} {
		var now unix.Rlimit
		if unix.Prlimit(0, which, nil, &now) != nil || now.Cur == unix.RLIM_INFINITY {
			continue
		}
		none := unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}
		if unix.Prlimit(0, which, &none, nil) != nil {
			_ = unix.Prlimit(0, which, &unix.Rlimit{Cur: now.Max, Max: now.Max}, nil)
		}
	}
}
