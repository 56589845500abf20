// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"golang.org/x/sys/unix"

	"cloneat-emu/ptrace"
)

// fork(2) asks no right for what it hands down: a process has still what it got before
// it gave up the right to it. C gets it anew, as the target's child that it is.

// A need is something of the caller's that takes a capability to get.
type need struct {
	what    string
	cap     int
	missing func(*build, *credentials) (bool, error)
}

// needs are all of them. What memory takes, a child that keeps the target's does not.
var needs = []need{
	{"no right to the caller's root (CAP_SYS_CHROOT)", unix.CAP_SYS_CHROOT, (*build).otherRoot},
	{"no right to enter the caller's working directory (CAP_DAC_READ_SEARCH)", unix.CAP_DAC_READ_SEARCH, (*build).closedDirectory},
	{"no right to run the caller's program (CAP_DAC_OVERRIDE)", unix.CAP_DAC_OVERRIDE, (*build).closedProgram},
	{"no right to the caller's System V memory (CAP_IPC_OWNER)", unix.CAP_IPC_OWNER, (*build).closedSegment},
	{"no right to flush as the caller does, or not to (CAP_SYS_RESOURCE)", unix.CAP_SYS_RESOURCE, (*build).otherFlusher},
	{"no right to memory as low as the caller's (CAP_SYS_RAWIO)", unix.CAP_SYS_RAWIO, (*build).lowMemory},
}

// missingRight says what C needs a capability for beside its credentials, and whether no
// exec(2) would give it.
func (b *build) missingRight(have *credentials) (what string, forever bool, err error) {
	for _, n := range needs {
		if hasCap(have.caps.effective, n.cap) {
			continue
		}
		if missing, err := n.missing(b, have); err != nil || missing {
			return n.what, have.noNewPrivs || have.rootIsNobody() || !hasCap(have.caps.bounding, n.cap), err
		}
	}
	return "", false, nil
}

func (b *build) otherRoot(*credentials) (bool, error) {
	if b.opt.ShareFS || !b.sameMount {
		return false, nil
	}
	same, err := b.sameRoot()
	return !same, err
}

// closedDirectory: a process may be in a directory that it could not enter.
func (b *build) closedDirectory(have *credentials) (bool, error) {
	if b.opt.ShareFS || hasCap(have.caps.effective, unix.CAP_DAC_OVERRIDE) {
		return false, nil
	}
	dirs, err := b.entered()
	for _, d := range dirs {
		if may, err := have.mayExecute(d.path()); err != nil || !may {
			return true, err
		}
	}
	return false, err
}

// closedProgram: PR_SET_MM_MAP asks whether C might execute it.
func (b *build) closedProgram(have *credentials) (bool, error) {
	if b.opt.keepsMemory() || !b.exe.differs {
		return false, nil
	}
	may, err := have.mayExecute(procPath(b.snap.caller.TID, "exe"))
	return !may, err
}

// closedSegment lets C try. In the caller's ipc namespace it cannot yet.
func (b *build) closedSegment(*credentials) (bool, error) {
	segments := b.segments()
	if b.opt.keepsMemory() || len(segments) == 0 {
		return false, nil
	}
	if !b.sameIPC {
		return true, nil
	}
	tried := make([]ptrace.Result, len(segments))
	for i, m := range segments {
		b.script.ask(&tried[i], "shmat", unix.SYS_SHMAT, uintptr(m.inode), 0, m.attachFlags())
	}
	if err := b.script.run(); err != nil {
		return false, err
	}
	closed := false
	for _, r := range tried {
		closed = closed || r.Errno == unix.EACCES
		if r.Errno == 0 {
			b.script.add("shmdt", uint64(r.Value), unix.SYS_SHMDT, r.Value)
		}
	}
	return closed, b.script.run()
}

// lowMemory: below mmap_min_addr CAP_SYS_RAWIO is asked for (cap_mmap_addr() in
// security/commoncap.c).
func (b *build) lowMemory(*credentials) (bool, error) {
	if b.opt.keepsMemory() || len(b.snap.maps) == 0 || b.kept[b.snap.maps[0].start] {
		return false, nil
	}
	lowest, err := readNumber("/proc/sys/vm/mmap_min_addr")
	if err != nil {
		lowest = usualLowest // no /proc/sys here (mount option subset=pid)
	}
	return b.snap.maps[0].start < uint64(lowest), nil
}

// usualLowest is CONFIG_LSM_MMAP_MIN_ADDR as distributions have it.
const usualLowest = 64 << 10
