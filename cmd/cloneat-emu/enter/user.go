// SPDX-License-Identifier: Apache-2.0

package enter

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// user is an identity: supplementary groups include the primary one.
type user struct {
	uid, gid uint32
	groups   []uint32
	home     string // empty if not known
}

// lookUp finds USER[:GROUP] in the files of a root directory.
func lookUp(spec string, root *os.File) (*user, error) {
	name, group, hasGroup := strings.Cut(spec, ":")
	u := &user{}
	passwd, found, err := line(root, "etc/passwd", func(f []string) bool { return f[0] == name || f[2] == name }, 7)
	if err != nil {
		return nil, err
	}
	if found {
		u.home = passwd[5]
		name = passwd[0]
	} else {
		passwd = []string{name, "", name, "0"}
	}
	if u.uid, err = id(passwd[2]); err != nil {
		return nil, fmt.Errorf("not in the container's /etc/passwd, and %w", err)
	}
	if u.gid, err = id(passwd[3]); err != nil {
		return nil, err
	}
	if hasGroup {
		u.gid, err = lookUpGroup(group, root)
		u.groups = []uint32{u.gid}
		return u, err
	}
	u.groups, err = groupsOf(name, u.gid, root)
	return u, err
}

// lookUpGroup finds a group by name or number.
func lookUpGroup(group string, root *os.File) (uint32, error) {
	f, found, err := line(root, "etc/group", func(f []string) bool { return f[0] == group }, 4)
	if err != nil {
		return 0, err
	}
	if found {
		return id(f[2])
	}
	gid, err := id(group)
	if err != nil {
		return 0, fmt.Errorf("group %q is not in the container's /etc/group, and %w", group, err)
	}
	return gid, nil
}

// groupsOf collects the groups that list a user, the primary one first.
func groupsOf(name string, gid uint32, root *os.File) ([]uint32, error) {
	groups := []uint32{gid}
	_, _, err := line(root, "etc/group", func(f []string) bool {
		if g, err := id(f[2]); err == nil && slices.Contains(strings.Split(f[3], ","), name) && g != gid {
			groups = append(groups, g)
		}
		return false
	}, 4)
	return groups, err
}

// id reads a uid or gid; the highest number stands for none in system calls.
func id(s string) (uint32, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || n == 1<<32-1 {
		return 0, fmt.Errorf("%q is no number of a user or group", s)
	}
	return uint32(n), nil
}

// line finds the first line with at least n fields that match accepts. A file
// that is not there has no lines.
func line(root *os.File, name string, match func([]string) bool, n int) ([]string, bool, error) {
	f, err := openIn(root, name, unix.O_RDONLY)
	if err == unix.ENOENT {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("the container's /%s: %w", name, err)
	}
	defer func() { _ = f.Close() }()
	s := bufio.NewScanner(io.LimitReader(f, mostText))
	s.Buffer(nil, mostText) // a group's line lists all its members
	for s.Scan() {
		if fields := strings.Split(s.Text(), ":"); len(fields) >= n && match(fields) {
			return fields, true, nil
		}
	}
	if err := s.Err(); err != nil {
		return nil, false, fmt.Errorf("the container's /%s: %w", name, err)
	}
	return nil, false, nil
}

// mostText is how much of such a file is read, which may be anything.
const mostText = 16 << 20

// openIn opens a file below a root that somebody else may have filled: links
// and dots lead nowhere else.
func openIn(root *os.File, name string, flags uint64) (*os.File, error) {
	fd, err := unix.Openat2(int(root.Fd()), name, &unix.OpenHow{
		Flags: flags | unix.O_CLOEXEC | unix.O_NONBLOCK, Resolve: unix.RESOLVE_IN_ROOT,
	})
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}
