// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
)

// Room is how many more tasks there may be in the control groups of a thread, before a
// clone(2) of it fails with EAGAIN: what pids.max leaves, in its own group and those
// above (pids_can_fork() in kernel/cgroup/pids.c). It is below 0 where there are more
// than may be, and [math.MaxInt64] without a limit, or where the groups cannot be seen.
func Room(tid int) (int64, error) {
	membership, err := readCgroups(tid)
	if err != nil {
		return 0, err
	}
	groups, err := proc.ParseCgroups(membership)
	if err != nil {
		return 0, err
	}
	mounts, err := proc.MountedCgroups()
	if err != nil {
		return 0, err
	}
	left := int64(math.MaxInt64)
	for _, g := range groups {
		if mount, ok := mounts.At(g.Controllers); ok && countsTasks(g.Controllers) {
			left = min(left, roomIn(mount, g.Path))
		}
	}
	return left, nil
}

// countsTasks reports whether the hierarchy may have the pids controller.
func countsTasks(controllers string) bool {
	for c := range strings.SplitSeq(controllers, ",") {
		if c == "" || c == "pids" {
			return true
		}
	}
	return false
}

// roomIn is the least that a group and those above leave. The topmost has no limit, nor
// has one without the controller.
func roomIn(mount, where string) int64 {
	left := int64(math.MaxInt64)
	for ; where != "/" && where != "."; where = path.Dir(where) {
		most, err := readNumber(path.Join(mount, where, "pids.max"))
		if err != nil {
			continue // "max", or no such file
		}
		if now, err := readNumber(path.Join(mount, where, "pids.current")); err == nil {
			left = min(left, most-now)
		}
	}
	return left
}

func readNumber(file string) (int64, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
}

// checkRoom is row 20, once C is in the caller's control groups. To be moved there is
// never refused (pids_can_attach()), so what a clone would have been refused is found
// out afterwards.
func (b *build) checkRoom() error {
	if !b.moved {
		return nil // the kernel has judged the target's clone
	}
	left, err := Room(b.c.TID)
	if errors.Is(err, unix.ESRCH) || errors.Is(err, os.ErrNotExist) {
		return procError(b.c.TID, "cgroup", unix.ESRCH)
	}
	if err == nil && left < 0 {
		return fmt.Errorf("pids.max of the caller's control group: %w", unix.EAGAIN)
	}
	return err
}
