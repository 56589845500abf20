// SPDX-License-Identifier: Apache-2.0

package enter

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
)

// moveToCgroups puts a process into the cgroups of a target, in every hierarchy
// that is mounted here and in which they differ.
func moveToCgroups(pid int, target *proc.Dir) error {
	d, err := proc.Open(pid)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	want, err := target.Cgroups()
	if err != nil {
		return err
	}
	have, err := d.Cgroups()
	if err != nil {
		return err
	}
	is := map[int]string{}
	for _, e := range have {
		is[e.Hierarchy] = e.Path
	}
	for _, e := range want {
		if is[e.Hierarchy] == e.Path {
			continue
		}
		if err := moveToCgroup(pid, e); err != nil {
			return err
		}
	}
	return nil
}

// moveToCgroup puts a process into one cgroup.
func moveToCgroup(pid int, e proc.CgroupEntry) error {
	mount, err := cgroupMount(e.Controllers)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(mount, e.Path, "cgroup.procs"), os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("cgroup of the target: %w", err)
	}
	defer func() { _ = f.Close() }()
	if _, err := fmt.Fprint(f, pid); err != nil {
		return fmt.Errorf("cgroup of the target: %w", err)
	}
	return nil
}

// cgroupMount is where a hierarchy is mounted whole, by its controllers as
// /proc/PID/cgroup names them; the unified one has none.
func cgroupMount(controllers string) (string, error) {
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", err
	}
	for _, l := range strings.Split(string(b), "\n") {
		left, right, ok := strings.Cut(l, " - ")
		f, g := strings.Fields(left), strings.Fields(right)
		if !ok || len(f) < 5 || len(g) < 3 || f[3] != "/" {
			continue
		}
		if controllers == "" && g[0] == "cgroup2" || g[0] == "cgroup" && hasAll(g[2], controllers) {
			return f[4], nil
		}
	}
	return "", fmt.Errorf("cgroup hierarchy %q is not mounted here: %w", controllers, unix.ENOENT)
}

// hasAll reports whether a mount's options name all controllers of a list.
func hasAll(options, controllers string) bool {
	if controllers == "" {
		return false
	}
	have := "," + options + ","
	for _, c := range strings.Split(controllers, ",") {
		if !strings.Contains(have, ","+c+",") {
			return false
		}
	}
	return true
}
