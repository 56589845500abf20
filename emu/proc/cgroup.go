// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"
)

// CgroupEntry is a line of /proc/PID/cgroup: membership in one hierarchy.
type CgroupEntry struct {
	Hierarchy   int    // 0 is the unified one
	Controllers string // empty for the unified one
	Path        string // as seen from the reader's cgroup namespace
}

// Cgroups reads the memberships in all hierarchies.
func (d *Dir) Cgroups() ([]CgroupEntry, error) {
	b, err := d.ReadFile("cgroup")
	if err != nil {
		return nil, err
	}
	entries, err := ParseCgroups(b)
	if err != nil {
		return nil, fmt.Errorf("%s/cgroup: %w", d.at, err)
	}
	return entries, nil
}

// ParseCgroups reads the text of a cgroup file, "ID:CONTROLLERS:PATH" a line. Nothing in a
// path is escaped: no group has a newline in its name (cgroup_mkdir() in
// kernel/cgroup/cgroup.c).
func ParseCgroups(b []byte) (entries []CgroupEntry, err error) {
	for line := range strings.Lines(string(b)) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		var e CgroupEntry
		if len(parts) != 3 || number(&e.Hierarchy, parts[0], 10) != nil {
			return nil, fmt.Errorf("%q is no membership", line)
		}
		e.Controllers, e.Path = parts[1], parts[2]
		entries = append(entries, e)
	}
	return entries, nil
}

// CgroupMounts are the hierarchies that are mounted whole where this process sees them.
type CgroupMounts []cgroupMount

type cgroupMount struct {
	unified bool
	options string // of the superblock: version 1's controllers, and others
	at      string
}

// MountedCgroups looks for them.
func MountedCgroups() (CgroupMounts, error) {
	b, err := os.ReadFile("/proc/self/mountinfo")
	return parseCgroupMounts(string(b)), err
}

func parseCgroupMounts(mountinfo string) (mounts CgroupMounts) {
	for line := range strings.Lines(mountinfo) {
		left, right, _ := strings.Cut(line, " - ")
		l, r := strings.Fields(left), strings.Fields(right)
		if len(l) < 5 || len(r) < 3 || l[3] != "/" || r[0] != "cgroup" && r[0] != "cgroup2" {
			continue
		}
		mounts = append(mounts, cgroupMount{r[0] == "cgroup2", r[2], unmangle.Replace(l[4])})
	}
	return mounts
}

// unmangle undoes what the kernel does to a path in mountinfo, whose fields are separated by
// blanks (show_mountinfo() in fs/proc_namespace.c).
var unmangle = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

// Move puts a process into a group. The error is an fs.ErrNotExist where the hierarchy is not
// mounted here.
func (m CgroupMounts) Move(pid int, to CgroupEntry) error {
	dir, mounted := m.At(to.Controllers)
	if !mounted {
		return fmt.Errorf("hierarchy %q is not mounted here: %w", to.Controllers, os.ErrNotExist)
	}
	f, err := os.OpenFile(path.Join(dir, to.Path, "cgroup.procs"), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(strconv.Itoa(pid))
	return err
}

// At is where a hierarchy is mounted, by its controllers as [CgroupEntry] has them; the last
// mount is the one on top.
func (m CgroupMounts) At(controllers string) (dir string, mounted bool) {
	for _, c := range m {
		if c.unified && controllers == "" || !c.unified && controllers != "" && c.has(controllers) {
			dir, mounted = c.at, true
		}
	}
	return dir, mounted
}

// has reports whether the options name all controllers of a list: there are others beside
// them, of security modules too.
func (m *cgroupMount) has(controllers string) bool {
	have := "," + m.options + ","
	for c := range strings.SplitSeq(controllers, ",") {
		if !strings.Contains(have, ","+c+",") {
			return false
		}
	}
	return true
}
