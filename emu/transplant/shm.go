// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"errors"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
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

// makeShm attaches the caller's System V segments, so that shmdt(2) works on
// them and their attach counts are right. Where C lives in another ipc
// namespace than the caller, it visits the caller's for that: a segment stays
// attached wherever its process goes.
func (b *build) makeShm() error {
	segments := b.segments()
	if len(segments) == 0 {
		return nil
	}
	attach := func() {
		for _, m := range segments {
			b.queueShmat(m)
		}
		b.stats.Mappings += len(segments)
	}
	if b.sameIPC {
		attach()
		return b.script.run()
	}
	err := b.inCallersIPC(attach)
	if errors.Is(err, unix.EPERM) {
		return unsupported("the caller has System V memory of an ipc namespace that the target's child may not enter")
	}
	return err
}

// inCallersIPC runs what do queues inside the caller's ipc namespace.
func (b *build) inCallersIPC(do func()) error {
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
	do()
	b.script.add("setns", 0, unix.SYS_SETNS, uintptr(there[1]), unix.CLONE_NEWIPC)
	for _, fd := range there {
		b.ch.drop(fd)
	}
	return b.script.run()
}

// attachFlags are shmat(2)'s, but for the address.
func (m *mapping) attachFlags() uintptr {
	const shmRDONLY, shmEXEC = 0o10000, 0o100000
	how := uintptr(0)
	if !m.has("mw") {
		how |= shmRDONLY
	}
	if m.prot&unix.PROT_EXEC != 0 {
		how |= shmEXEC
	}
	return how
}

func (b *build) queueShmat(m *mapping) {
	const shmREMAP = 0o40000
	b.script.expect(uintptr(m.start), "shmat", m.inode, unix.SYS_SHMAT, uintptr(m.inode), uintptr(m.start), m.attachFlags()|shmREMAP)
}
