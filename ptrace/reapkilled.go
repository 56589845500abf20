// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// ReapKilled takes the ends of those of this thread's tracees that have been killed, so that those
// who wait for them hear of it while this thread goes on. Precondition: who is not killed has been
// let go. It reports false where one of them does not end soon.
func ReapKilled(tids []int) bool {
	const soon = time.Second
	tids = slices.Clone(tids)
	for end := time.Now().Add(soon); time.Now().Before(end); time.Sleep(100 * time.Microsecond) {
		// A leader is seen to have ended behind its threads.
		tids = slices.DeleteFunc(tids, func(tid int) bool {
			died, there := reap(tid, unix.WNOTHREAD)
			return died || !there
		})
		if len(tids) == 0 {
			return true
		}
	}
	return false
}
