package transplant

import (
	"slices"

	"golang.org/x/sys/unix"
)

// A process may be in a directory that it could not enter: chdir(2) asks for the right
// to search it, fork(2) does not. C comes into the caller's directory by fchdir(2), as
// the target's child that it is, and needs a capability where neither may search it.

// mayEnter reports whether C may enter all directories that setPlace leads it to.
func (b *build) mayEnter(have *credentials) (bool, error) {
	dirs, err := b.entered()
	for _, d := range dirs {
		var may bool
		if may, err = have.maySearch(d); err != nil || !may {
			return false, err
		}
	}
	return true, err
}

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

// maySearch is what the kernel's generic_permission() says to MAY_EXEC on a directory,
// but that it does not read access control lists: where there is one, the answer is no.
func (c *credentials) maySearch(dir string) (bool, error) {
	if hasCap(c.caps.effective, unix.CAP_DAC_READ_SEARCH) || hasCap(c.caps.effective, unix.CAP_DAC_OVERRIDE) {
		return true, nil
	}
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil {
		return false, err
	}
	if _, err := unix.Getxattr(dir, "system.posix_acl_access", nil); err == nil {
		return false, nil
	}
	return st.Mode&c.searchBit(&st) != 0, nil
}

// searchBit is the permission bit that is about this process.
func (c *credentials) searchBit(st *unix.Stat_t) uint32 {
	switch fsuid, fsgid := c.uid[3], c.gid[3]; {
	case st.Uid == fsuid:
		return unix.S_IXUSR
	case st.Gid == fsgid || slices.Contains(c.groups, st.Gid):
		return unix.S_IXGRP
	default:
		return unix.S_IXOTH
	}
}
