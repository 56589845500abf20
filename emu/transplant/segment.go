// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"fmt"
	"math/rand/v2"
	"os"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
)

// System V memory is known by its id, which is one of its ipc namespace. Who leaves that keeps the
// memory, and may meet another segment of the same id, and the same inode number, where it is now.
// No call tells of what segment a mapping is; but locks are the inode's.

// sameSegment reports whether two mappings, of threads a and b, are of one segment. It is not
// known where nobody may open what others have mapped.
func sameSegment(a int, m *mapping, b int, o *mapping) (same, known bool) {
	one, err := m.open(a)
	if err != nil {
		return false, false
	}
	defer unix.Close(one)
	other, err := o.open(b)
	if err != nil {
		return false, false
	}
	defer unix.Close(other)
	// A place of its own, among the locks of other workers.
	lock := unix.Flock_t{Type: unix.F_RDLCK, Start: rand.Int64N(1 << 62), Len: 1}
	if unix.FcntlFlock(uintptr(one), unix.F_OFD_SETLK, &lock) != nil {
		return false, false
	}
	asked := lock
	asked.Type = unix.F_WRLCK
	err = unix.FcntlFlock(uintptr(other), unix.F_OFD_GETLK, &asked)
	return asked.Type == unix.F_RDLCK, err == nil
}

// open opens what is behind the mapping of a thread.
func (m *mapping) open(tid int) (int, error) {
	return openProc(tid, fmt.Sprintf("map_files/%x-%x", m.start, m.end), unix.O_RDONLY)
}

// keepsSegment reports whether C's mapping, at the same place, is of the caller's segment.
func (b *build) keepsSegment(m *mapping) bool {
	same, known := sameSegment(b.snap.caller.TID, m, b.c.TID, m)
	return same || !known && b.sameIPC
}

// checkSegments refuses to attach others than the caller's.
func (b *build) checkSegments(list []*attachment) error {
	maps, err := readMaps(b.c.TID)
	if err != nil {
		return err
	}
	at := map[uint64]*mapping{}
	for i := range maps {
		at[maps[i].start] = &maps[i]
	}
	for _, a := range list {
		o := at[uint64(a.at.Value)]
		if o == nil {
			return fmt.Errorf("segment %d is not where it was attached", a.pieces[0].inode)
		}
		same, known := sameSegment(b.snap.caller.TID, a.pieces[0], b.c.TID, o)
		if !known {
			// Nobody who is where the supervisor is needs to have been elsewhere.
			same, err = sameNS(b.snap.caller.TID, os.Getpid(), proc.IPC)
		}
		if err != nil || !same {
			return leftSegment(a)
		}
	}
	return nil
}

func leftSegment(a *attachment) error {
	return unsupported("the caller has System V memory (%s) that is not known to be of its ipc namespace", a.pieces[0].name)
}
