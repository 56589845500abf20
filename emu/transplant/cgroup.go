// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
)

// setCgroups moves C from the target's control groups to the caller's, in
// every hierarchy that is mounted where the operator can see it. Where the
// operator may not move it, C stays: the call fails, or logs it.
func (b *build) setCgroups() error {
	want, err := readCgroups(b.snap.caller.TID)
	if err != nil {
		return err
	}
	have, err := readCgroups(b.c.TID)
	if err != nil || bytes.Equal(want, have) {
		return err
	}
	to, err := proc.ParseCgroups(want)
	if err != nil {
		return err
	}
	is, err := proc.ParseCgroups(have)
	if err != nil {
		return err
	}
	mounts, err := proc.MountedCgroups()
	if err != nil {
		return err
	}
	for _, e := range to {
		if slices.Contains(is, e) {
			continue
		}
		if err := b.moveCgroup(mounts, e); err != nil {
			return err
		}
	}
	return nil
}

func (b *build) moveCgroup(mounts proc.CgroupMounts, to proc.CgroupEntry) error {
	err := mounts.Move(b.c.TID, to)
	switch {
	case err == nil:
		b.moved = b.moved || countsTasks(to.Controllers)
		return nil
	case errors.Is(err, unix.ESRCH):
		return procError(b.c.TID, "cgroup", unix.ESRCH)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrNotExist):
		return b.cgroupLeft(to.Controllers, err.Error())
	}
	return err
}

func (b *build) cgroupLeft(controllers, why string) error {
	if !b.opt.BestEffort {
		return unsupported("the caller's control group (%q) is not the target's: %s", controllers, why)
	}
	b.leave("the child stays in the target's control group (%q): %s", controllers, why)
	return nil
}

// SameCgroups reports whether two processes are in the same control groups; whoever is gone is.
func SameCgroups(a, b int) bool {
	one, err := readCgroups(a)
	other, berr := readCgroups(b)
	return err != nil || berr != nil || bytes.Equal(one, other)
}

// readCgroups reads /proc/TID/cgroup: nothing on a kernel that has no control groups.
func readCgroups(tid int) ([]byte, error) {
	if !hasCgroups() {
		return nil, nil
	}
	return readProc(tid, "cgroup")
}

var hasCgroups = sync.OnceValue(func() bool {
	_, err := os.Lstat("/proc/self/cgroup")
	return !errors.Is(err, fs.ErrNotExist)
})
