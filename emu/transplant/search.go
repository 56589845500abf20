package transplant

import (
	"slices"

	"golang.org/x/sys/unix"
)

// entered are the directories that setPlace makes C enter, where the operator sees them.
func (b *build) entered() ([]string, error) {
	if !b.sameMount {
		if there, err := b.atRoot(); err != nil || there {
			return nil, err
		}
		return []string{procPath(b.c.TID, "root")}, nil
	}
	sameRoot, err := b.sameRoot()
	if err != nil {
		return nil, err
	}
	sameCwd, err := b.samePlace("cwd")
	switch cwd := procPath(b.snap.caller.TID, "cwd"); {
	case err != nil || sameRoot && sameCwd:
		return nil, err
	case sameRoot:
		return []string{cwd}, nil
	default:
		return []string{procPath(b.snap.caller.TID, "root"), cwd}, nil
	}
}

// mayExecute is what the kernel's generic_permission() says to MAY_EXEC, which is the
// right to search a directory, without any capability. It does not read access control
// lists: where there is one, the answer is no.
func (c *credentials) mayExecute(path string) (bool, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return false, err
	}
	if _, err := unix.Getxattr(path, "system.posix_acl_access", nil); err == nil {
		return false, nil
	}
	return st.Mode&c.executeBit(&st) != 0, nil
}

// executeBit is the permission bit that is about this process.
func (c *credentials) executeBit(st *unix.Stat_t) uint32 {
	switch fsuid, fsgid := c.uid[3], c.gid[3]; {
	case st.Uid == fsuid:
		return unix.S_IXUSR
	case st.Gid == fsgid || slices.Contains(c.groups, st.Gid):
		return unix.S_IXGRP
	default:
		return unix.S_IXOTH
	}
}
