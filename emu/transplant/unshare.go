// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"cloneat-emu/ptrace"
)

// unshare makes the new namespaces that the call asks for, while C still may.
// Root and working directory are in place: CLONE_NEWNS carries them over into
// the copy (copy_mnt_ns in fs/namespace.c).
func (b *build) unshare() error {
	if b.opt.Unshare == 0 {
		return nil
	}
	b.script.add("unshare", b.opt.Unshare, unix.SYS_UNSHARE, uintptr(b.opt.Unshare))
	return b.script.run()
}

// joinTime brings C into another time namespace, while it is the only user of
// its memory (timens_install in kernel/time/namespace.c wants that).
func (b *build) joinTime() error {
	if b.opt.TimeNS == nil {
		return nil
	}
	there, err := b.ch.send([]int{int(b.opt.TimeNS.Fd())})
	if err != nil {
		return err
	}
	fd := uintptr(there[0])
	b.script.add("setns to the time namespace", 0, unix.SYS_SETNS, fd, unix.CLONE_NEWTIME)
	b.ch.drop(there[0])
	if err := b.script.run(); err != nil {
		return err
	}
	return b.checkTime()
}

// checkTime: who shares C's descriptors could have put another namespace there.
func (b *build) checkTime() error {
	var want, have unix.Stat_t
	if err := unix.Fstat(int(b.opt.TimeNS.Fd()), &want); err != nil {
		return err
	}
	if err := unix.Stat(procPath(b.c.TID, "ns/time"), &have); err != nil {
		return procError(b.c.TID, "ns/time", err)
	}
	if have.Ino != want.Ino {
		return fmt.Errorf("setns has led to another time namespace: %w", unix.EBADF)
	}
	return nil
}

// Chroot gives a child in the making root as its root and working directory.
// The child's other descriptors stay as they are.
func Chroot(child *ptrace.Injection, childPIDFD int, root *os.File) error {
	batch, err := child.NewBatch(chrootArea)
	if err != nil {
		return err
	}
	b := &build{
		c: child.Stopped, inj: child, left: &Leftovers{},
		work: work{script: &script{inj: child, batch: batch}, pidfd: childPIDFD, tid: child.TID},
	}
	defer b.left.Close()
	if err := b.chroot(root); err != nil {
		return err
	}
	return batch.Close()
}

// chrootArea is room for a few calls and one descriptor's message.
const chrootArea = 16 << 10

func (b *build) chroot(root *os.File) error {
	if err := b.openChannel(); err != nil {
		return err
	}
	defer b.ch.closeOurs()
	there, err := b.ch.send([]int{int(root.Fd())})
	if err != nil {
		return err
	}
	fd := uintptr(there[0])
	b.script.add("fchdir to the root", 0, unix.SYS_FCHDIR, fd)
	b.script.room(1, 2)
	b.script.add("chroot", 0, unix.SYS_CHROOT, b.script.text("."))
	b.script.add("close", 0, unix.SYS_CLOSE, fd)
	b.script.add("close", 0, unix.SYS_CLOSE, uintptr(b.ch.far))
	return b.script.run()
}
