// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
	"cloneat-emu/ptrace"
)

// A child that is being filled is the first to be ended where memory is short (transplant,
// oom.go). Who has ended a process is not told of it: a call whose child was killed begins anew,
// and if that one is killed too while the kernel counts one more for the lack of memory, there is
// none for the child.

// oomKills is how many processes the kernel had ended for the lack of memory; -1 if not known.
type oomKills int64

// oomKills looks where the call has begun before: most never need to know.
func (c *call) oomKills() oomKills {
	if c.s.patience.tried(c.n.TID) == 0 {
		return -1
	}
	return c.countOOMKills()
}

// outOfMemory turns the end of a child into ENOMEM, if memory was short.
func (c *call) outOfMemory(before oomKills, err error) error {
	if before >= 0 && ptrace.Gone(err) && c.countOOMKills() > before {
		return fmt.Errorf("the child's copy of the caller's memory: %w", unix.ENOMEM)
	}
	return err
}

// countOOMKills reads the whole system's counter (__oom_kill_process() in mm/oom_kill.c) or,
// where the kernel is without (CONFIG_VM_EVENT_COUNTERS), that of the caller's control group.
func (c *call) countOOMKills() oomKills {
	if n := countIn("/proc/vmstat"); n >= 0 {
		return n
	}
	groups, err := c.check.Caller.Thread.Cgroups()
	if err != nil {
		return -1
	}
	mounts, err := proc.MountedCgroups()
	if err != nil {
		return -1
	}
	for _, g := range groups {
		dir, mounted := mounts.At(g.Controllers)
		switch {
		case !mounted:
		case g.Controllers == "":
			if n := countIn(path.Join(dir, g.Path, "memory.events")); n >= 0 {
				return n
			}
		case slices.Contains(strings.Split(g.Controllers, ","), "memory"):
			return countIn(path.Join(dir, g.Path, "memory.oom_control"))
		}
	}
	return -1
}

// countIn reads one of the files that have a line with the counter.
func countIn(file string) oomKills {
	text, err := os.ReadFile(file)
	if err != nil {
		return -1
	}
	for line := range strings.Lines(string(text)) {
		if number, ok := strings.CutPrefix(line, "oom_kill "); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
			if err == nil {
				return oomKills(n)
			}
		}
	}
	return -1
}
