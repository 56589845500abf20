// SPDX-License-Identifier: Apache-2.0

// Package release knows which kernel this is, for what cannot be tried without harm.
package release

import (
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// Since reports whether this kernel is of that version of Linux, or a later one.
func Since(major, minor int) bool {
	v := running()
	return v[0] > major || v[0] == major && v[1] >= minor
}

var running = sync.OnceValue(func() (v [2]int) {
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		_, _ = fmt.Sscanf(unix.ByteSliceToString(u.Release[:]), "%d.%d", &v[0], &v[1])
	}
	return v
})
