// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"bytes"
	"os"
	"slices"

	"cloneat-emu/emu/proc"
)

// idMap translates ids as the operator sees them into those of C's user
// namespace. nil is the identity.
type idMap []struct{ inside, outside, count uint32 }

type idMaps struct{ uid, gid idMap }

// idMaps are those of C's user namespace, which it does not leave.
func (b *build) idMaps() (idMaps, error) {
	if b.ids != nil {
		return *b.ids, nil
	}
	ids, err := readIDMaps(b.c.TID)
	if err == nil {
		b.ids = &ids
	}
	return ids, err
}

func readIDMaps(tid int) (idMaps, error) {
	same, err := sameNS(os.Getpid(), tid, proc.User)
	if err != nil || same {
		return idMaps{}, err
	}
	uid, err := readIDMap(tid, "uid_map")
	if err != nil {
		return idMaps{}, err
	}
	gid, err := readIDMap(tid, "gid_map")
	return idMaps{uid, gid}, err
}

func readIDMap(tid int, name string) (idMap, error) {
	b, err := readProc(tid, name)
	if err != nil {
		return nil, err
	}
	m := idMap{}
	for len(b) > 0 {
		var line []byte
		line, b = nextLine(b)
		if f := bytes.Fields(line); len(f) == 3 {
			m = append(m, struct{ inside, outside, count uint32 }{
				uint32(parseDec(f[0])), uint32(parseDec(f[1])), uint32(parseDec(f[2])),
			})
		}
	}
	return m, nil
}

// into translates one id; one that has no number inside cannot be taken.
func (m idMap) into(id uint32) (uint32, error) {
	if m == nil {
		return id, nil
	}
	for _, r := range m {
		if id-r.outside < r.count {
			return r.inside + id - r.outside, nil
		}
	}
	return 0, unsupported("id %d has no number in the user namespace", id)
}

// translate turns the ids that change into C's numbers. The others need none: what is
// C's already may have no number in its user namespace.
func (m idMaps) translate(want *credentials, change idChange) error {
	if change.uid {
		if err := each(want.uid[:], m.uid); err != nil {
			return err
		}
	}
	if change.gid {
		if err := each(want.gid[:], m.gid); err != nil {
			return err
		}
	}
	if !change.groups {
		return nil
	}
	want.groups = slices.Clone(want.groups)
	return each(want.groups, m.gid)
}

func each(ids []uint32, m idMap) (err error) {
	for i := range ids {
		if ids[i], err = m.into(ids[i]); err != nil {
			return err
		}
	}
	return nil
}

// UIDFor is a user, by the operator's number, as the thread viewer sees it in others: one that
// has no number there is the overflow user.
func UIDFor(viewer int, uid uint32) uint32 {
	const overflow = 65534
	ids, err := readIDMaps(viewer)
	if err != nil {
		return overflow
	}
	inside, err := ids.uid.into(uid)
	if err != nil {
		return overflow
	}
	return inside
}
