// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"encoding/binary"
	"slices"

	"golang.org/x/sys/unix"
)

// mayExecute is what the kernel's generic_permission() says to MAY_EXEC, which is the
// right to search a directory, without any capability.
func (c *credentials) mayExecute(path string) (bool, error) {
	st, err := known(path, unix.STATX_MODE|unix.STATX_UID|unix.STATX_GID)
	if err != nil {
		return false, err
	}
	if st.Uid != c.uid[3] && st.Mode&unix.S_IRWXG != 0 { // the mask, where there is a list
		acl := make([]byte, 64<<10)
		if n, err := unix.Getxattr(path, "system.posix_acl_access", acl); err == nil {
			return c.aclExecutes(acl[:n], st.Gid), nil
		}
	}
	return uint32(st.Mode)&c.executeBit(&st) != 0, nil
}

// executeBit is the permission bit that is about this process.
func (c *credentials) executeBit(st *unix.Statx_t) uint32 {
	switch {
	case st.Uid == c.uid[3]:
		return unix.S_IXUSR
	case c.inGroup(st.Gid):
		return unix.S_IXGRP
	default:
		return unix.S_IXOTH
	}
}

func (c *credentials) inGroup(gid uint32) bool {
	return gid == c.gid[3] || slices.Contains(c.groups, gid)
}

// Tags of an access control list (<linux/posix_acl.h>).
const (
	aclUser     = 0x02
	aclGroupObj = 0x04
	aclGroup    = 0x08
	aclMask     = 0x10
	aclOther    = 0x20
)

// aclExecutes is posix_acl_permission() in fs/posix_acl.c for who does not own the file:
// acl is the attribute, whose entries are in the order of their tags, and gid the file's.
func (c *credentials) aclExecutes(acl []byte, gid uint32) bool {
	const header, entry, execute = 4, 8, 1
	member, granted, mask, other := false, false, true, false
	for acl = acl[min(header, len(acl)):]; len(acl) >= entry; acl = acl[entry:] {
		le := binary.LittleEndian
		tag, may, id := le.Uint16(acl), le.Uint16(acl[2:])&execute != 0, le.Uint32(acl[4:])
		if tag == aclGroupObj {
			id = gid
		}
		switch {
		case tag == aclMask:
			mask = may
		case tag == aclOther:
			other = may
		case member && granted:
		case tag == aclUser && id == c.uid[3]:
			member, granted = true, may
			if !may {
				return false
			}
		case (tag == aclGroupObj || tag == aclGroup) && c.inGroup(id):
			member, granted = true, may
		}
	}
	if member {
		return granted && mask
	}
	return other
}
