// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"os"
	"path"
	"slices"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// A program can announce events, and the kernel sets a bit in its memory while somebody
// listens to one (<linux/user_events.h>, Linux 6.4). A fork is registered as well: the
// kernel would write to what C has of the caller's at the target's addresses. Nobody can
// ask what is registered, and only an exec ends it all (user_events_execve()).

const eventsFile = "user_events_data"

// announces reports whether C may be registered: the target has the file open, as a program
// has that has something to tell by it. A target that is gone is found out in the end.
func (b *build) announces() bool {
	target := b.opt.Target
	if target == 0 || !hasEvents() {
		return false
	}
	fds, _ := listFDs(target)
	return slices.ContainsFunc(fds, func(fd int) bool {
		name, err := os.Readlink(procPath(target, "fd/"+strconv.Itoa(fd)))
		return err == nil && path.Base(name) == eventsFile
	})
}

// hasEvents reports whether this kernel has them; where no /proc/sys tells (mount option
// subset=pid), it may.
var hasEvents = sync.OnceValue(func() bool {
	const dir = "/proc/sys/kernel"
	return unix.Access(dir+"/user_events_max", unix.F_OK) == nil || unix.Access(dir, unix.F_OK) != nil
})
