package transplant

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
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
	mounts, err := cgroupMounts()
	if err != nil {
		return err
	}
	is := parseCgroups(have)
	for controllers, where := range parseCgroups(want) {
		if is[controllers] == where {
			continue
		}
		if err := b.moveCgroup(mounts, controllers, where); err != nil {
			return err
		}
	}
	return nil
}

// moveCgroup writes C's number into the group's cgroup.procs.
func (b *build) moveCgroup(mounts map[string]string, controllers, where string) error {
	mount, ok := mounts[controllers]
	if !ok {
		return b.cgroupLeft(controllers, "its hierarchy is not mounted")
	}
	file := path.Join(mount, where, "cgroup.procs")
	err := os.WriteFile(file, []byte(strconv.Itoa(b.c.TID)), 0)
	switch {
	case err == nil:
		b.moved = b.moved || countsTasks(controllers)
		return nil
	case errors.Is(err, unix.ESRCH):
		return procError(b.c.TID, "cgroup", unix.ESRCH)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrNotExist):
		return b.cgroupLeft(controllers, err.Error())
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

// parseCgroups reads /proc/PID/cgroup, "ID:CONTROLLERS:PATH" a line; version 2
// has no controllers.
func parseCgroups(b []byte) map[string]string {
	groups := map[string]string{}
	for line := range bytes.Lines(b) {
		if f := strings.SplitN(strings.TrimSuffix(string(line), "\n"), ":", 3); len(f) == 3 {
			groups[f[1]] = f[2]
		}
	}
	return groups
}

// cgroupMounts finds where hierarchies are mounted whole, by the names that
// /proc/PID/cgroup uses for them.
func cgroupMounts() (map[string]string, error) {
	b, err := readProc(os.Getpid(), "mountinfo")
	if err != nil {
		return nil, err
	}
	mounts := map[string]string{}
	for line := range bytes.Lines(b) {
		left, right, _ := strings.Cut(string(line), " - ")
		l, r := strings.Fields(left), strings.Fields(right)
		if len(l) < 5 || len(r) < 3 || l[3] != "/" {
			continue
		}
		switch r[0] {
		case "cgroup2":
			mounts[""] = l[4]
		case "cgroup":
			mounts[cgroupName(r[2])] = l[4]
		}
	}
	return mounts, nil
}

// cgroupName takes the controllers out of a superblock's options.
func cgroupName(options string) string {
	var names []string
	for _, o := range strings.Split(options, ",") {
		switch o {
		case "rw", "ro", "xattr", "noprefix", "clone_children", "cpuset_v2_mode", "favordynmods":
		default:
			if !strings.HasPrefix(o, "release_agent=") {
				names = append(names, o)
			}
		}
	}
	return strings.Join(names, ",")
}
