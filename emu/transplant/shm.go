// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"cloneat-emu/ptrace"
)

// sysv reports a segment of shmget(2), whose name is made of its key. Its inode number is its id.
func (m *mapping) sysv() bool {
	key, is := strings.CutPrefix(m.kernels(), "SYSV")
	_, err := strconv.ParseUint(key, 16, 32)
	return m.shared && is && len(key) == 8 && err == nil
}

// segments are those that C is to attach.
func (b *build) segments() []*mapping {
	var list []*mapping
	for i := range b.snap.maps {
		if m := &b.snap.maps[i]; m.sysv() && !m.has("dc") && !b.kept[m.start] {
			list = append(list, m)
		}
	}
	return list
}

// An attachment is what is left of one shmat(2): the pieces of a segment that lie as far
// from where it would begin as from its beginning. mprotect(2) cuts it into pieces, munmap(2)
// and mremap(2) leave less than a segment.
type attachment struct {
	pieces []*mapping
	at     ptrace.Result // where C has attached it at first
}

// attachments are the segments by what was attached at once, so that shmdt(2) detaches at once.
func (b *build) attachments() []*attachment {
	type key struct {
		id, base uint64
		flags    uintptr
	}
	var list []*attachment
	of := map[key]*attachment{}
	for _, m := range b.segments() {
		k := key{m.inode, m.start - m.offset, m.attachFlags()}
		a := of[k]
		if a == nil {
			a = &attachment{}
			of[k], list = a, append(list, a)
		}
		a.pieces = append(a.pieces, m)
	}
	return list
}

// makeShm attaches the caller's System V segments, so that shmdt(2) works on
// them and their attach counts are right. Where C lives in another ipc
// namespace than the caller, it visits the caller's for that: a segment stays
// attached wherever its process goes.
func (b *build) makeShm() error {
	list := b.attachments()
	if len(list) == 0 {
		return nil
	}
	if b.sameIPC {
		return errors.Join(b.attach(list), b.script.run())
	}
	err := b.inCallersIPC(func() error { return b.attach(list) })
	if errors.Is(err, unix.EPERM) {
		return unsupported("the caller has System V memory of an ipc namespace that the target's child may not enter")
	}
	return err
}

// attach attaches whole segments where there is room, moves the pieces that the caller has to
// their places, and detaches the rest. The places are taken first, or there would be room.
func (b *build) attach(list []*attachment) error {
	for _, a := range list {
		for _, m := range a.pieces {
			b.script.expect(uintptr(m.start), "mmap", m.start, unix.SYS_MMAP, uintptr(m.start), uintptr(m.size()), unix.PROT_NONE,
				unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_FIXED|unix.MAP_NORESERVE, ^uintptr(0), 0)
		}
	}
	for _, a := range list {
		b.stats.Mappings += len(a.pieces)
		m, to, remap := a.pieces[0], uint64(0), uintptr(0)
		if a.cannotMove() {
			to, remap = m.start, shmREMAP
		}
		b.script.ask(&a.at, "shmat", unix.SYS_SHMAT, uintptr(m.inode), uintptr(to), m.attachFlags()|remap)
	}
	if err := b.script.run(); err != nil {
		return err
	}
	if err := b.checkAttached(list); err != nil {
		return err
	}
	for _, a := range list {
		if a.cannotMove() {
			continue
		}
		for _, m := range a.pieces {
			b.script.expect(uintptr(m.start), "mremap", m.start, unix.SYS_MREMAP, uintptr(a.at.Value)+uintptr(m.offset),
				uintptr(m.size()), uintptr(m.size()), unix.MREMAP_MAYMOVE|unix.MREMAP_FIXED, uintptr(m.start))
		}
		b.script.try("shmdt", unix.SYS_SHMDT, uintptr(a.at.Value)) // EINVAL: nothing is left of it
	}
	return nil
}

// checkAttached looks at what came of it: where there is no segment of that id, or another one, the
// caller has that of a namespace that it has left.
func (b *build) checkAttached(list []*attachment) error {
	for _, a := range list {
		switch a.at.Errno {
		case 0:
		case unix.EINVAL, unix.EIDRM:
			return leftSegment(a)
		default:
			return fmt.Errorf("shmat of segment %d: %w", a.pieces[0].inode, a.at.Errno)
		}
	}
	return b.checkSegments(list)
}

const shmREMAP = 0o40000

// cannotMove reports huge pages, which mremap(2) moves from Linux 5.16 on, of a segment that
// lies where it was attached.
func (a *attachment) cannotMove() bool {
	m := a.pieces[0]
	return m.has("ht") && len(a.pieces) == 1 && m.offset == 0
}

// inCallersIPC runs what do queues inside the caller's ipc namespace.
func (b *build) inCallersIPC(do func() error) error {
	theirs, err := openProc(b.snap.caller.TID, "ns/ipc", unix.O_RDONLY)
	if err != nil {
		return err
	}
	defer unix.Close(theirs)
	own, err := openProc(b.c.TID, "ns/ipc", unix.O_RDONLY)
	if err != nil {
		return err
	}
	defer unix.Close(own)
	there, err := b.ch.send([]int{theirs, own})
	if err != nil {
		return err
	}
	b.script.add("setns", 0, unix.SYS_SETNS, uintptr(there[0]), unix.CLONE_NEWIPC)
	if err := do(); err != nil {
		return err
	}
	b.script.add("setns", 0, unix.SYS_SETNS, uintptr(there[1]), unix.CLONE_NEWIPC)
	for _, fd := range there {
		b.ch.drop(fd)
	}
	return b.script.run()
}

// attachFlags are shmat(2)'s, but for the address. What mprotect(2) may change, as whether a piece
// is code, says nothing about how it was attached.
func (m *mapping) attachFlags() uintptr {
	const shmRDONLY = 0o10000
	if m.has("mw") {
		return 0
	}
	return shmRDONLY
}
