// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"fmt"
	"os"
	"strconv"
)

// Own is an error if /proc is not of this process's pid namespace: every number in it is
// another process's then, and what is looked up by one is about a stranger.
func Own() error {
	self, err := os.Readlink("/proc/self")
	if err != nil {
		return fmt.Errorf("%w: mount a proc file system there (mount -t proc proc /proc)", err)
	}
	if own := os.Getpid(); self != strconv.Itoa(own) {
		return fmt.Errorf("/proc is another pid namespace's, where process %d is %s: mount this one's "+
			"(mount -t proc proc /proc, or unshare --mount-proc)", own, self)
	}
	return nil
}
