package transplant

import (
	"bytes"
	"os"
)

// idMap translates ids as the operator sees them into those of C's user
// namespace. nil is the identity.
type idMap []struct{ inside, outside, count uint32 }

type idMaps struct{ uid, gid idMap }

// idMaps reads the maps of C's user namespace.
func (b *build) idMaps() (idMaps, error) {
	same, err := sameLink(os.Getpid(), b.c.TID, "ns/user")
	if err != nil || same {
		return idMaps{}, err
	}
	uid, err := readIDMap(b.c.TID, "uid_map")
	if err != nil {
		return idMaps{}, err
	}
	gid, err := readIDMap(b.c.TID, "gid_map")
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

// translate turns both processes' ids into C's numbers.
func (m idMaps) translate(all ...*credentials) error {
	for _, c := range all {
		if err := each(c.uid[:], m.uid); err != nil {
			return err
		}
		if err := each(c.gid[:], m.gid); err != nil {
			return err
		}
		groups := append([]uint32(nil), c.groups...)
		if err := each(groups, m.gid); err != nil {
			return err
		}
		c.groups = groups
	}
	return nil
}

func each(ids []uint32, m idMap) (err error) {
	for i := range ids {
		if ids[i], err = m.into(ids[i]); err != nil {
			return err
		}
	}
	return nil
}
