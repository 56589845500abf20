// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"os"
	"sync"
)

// Whatever a tracer of this package starts is under the filters that the tracer itself is
// under, a container's, and those that it installs for it. A tracee that has more has
// filters of its own.

// CommonFilters is how many filters every tracee has, the same ones: those around this
// process, and the listener's.
var CommonFilters = sync.OnceValue(func() int {
	status, err := readProc(os.Getpid(), "status")
	if err != nil {
		return 1
	}
	return filtersIn(status) + 1
})

// filtersIn is a thread's number of filters, of its status file; 0 before Linux 5.9.
func filtersIn(status []byte) int { return int(field(status, "\nSeccomp_filters:\t", 10)) }

// filtered reports whether the thread has a filter of its own, which may forbid another call
// than the program makes itself: its author knows of no such call, and a filter can kill. The
// common ones allow what legs are made of, as that is what this process lives on.
func filtered(status []byte) bool { return filtersIn(status) > CommonFilters() }
