// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"encoding/binary"
	"errors"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
)

// layout is what mm_struct knows about a program's memory beside mappings, in
// the order of struct prctl_mm_map.
type layout struct {
	startCode, endCode, startData, endData, startBrk, brk, startStack uint64
	argStart, argEnd, envStart, envEnd                                uint64
}

func readStat(tid int) (*proc.Stat, error) {
	b, err := readProc(tid, "stat")
	if err != nil {
		return nil, err
	}
	return proc.ParseStat(b)
}

// layoutOf takes it from /proc/TID/stat. brk is not there.
func layoutOf(st *proc.Stat) layout {
	return layout{
		startCode: st.StartCode, endCode: st.EndCode, startStack: st.StartStack, startData: st.StartData,
		endData: st.EndData, startBrk: st.StartBrk, argStart: st.ArgStart, argEnd: st.ArgEnd,
		envStart: st.EnvStart, envEnd: st.EnvEnd,
	}
}

// encode builds a struct prctl_mm_map.
func (l *layout) encode(auxv uintptr, auxvLen int, exe int) []byte {
	p := make([]byte, 0, 104)
	for _, v := range []uint64{
		l.startCode, l.endCode, l.startData, l.endData, l.startBrk, l.brk, l.startStack,
		l.argStart, l.argEnd, l.envStart, l.envEnd, uint64(auxv),
	} {
		p = binary.LittleEndian.AppendUint64(p, v)
	}
	p = binary.LittleEndian.AppendUint32(p, uint32(auxvLen))
	return binary.LittleEndian.AppendUint32(p, uint32(int32(exe)))
}

// setLayout makes C's mm_struct describe the caller's memory: where code, heap,
// arguments and environment are, the auxiliary vector and /proc/PID/exe. It
// comes while nothing of the old program is mapped and nothing of the new one
// yet, because the kernel refuses to change exe while the old one is mapped
// (replace_mm_exe_file).
func (b *build) setLayout() error {
	exe := -1
	if b.exe.differs {
		var err error
		if exe, err = b.sendExe(); err != nil {
			return err
		}
	}
	b.describe(exe)
	if exe >= 0 {
		b.ch.drop(exe)
	}
	return nil
}

// sendExe brings the caller's program into C.
func (b *build) sendExe() (there int, err error) {
	files, err := openSoon([]func() (int, error){func() (int, error) {
		return openProc(b.snap.caller.TID, "exe", unix.O_RDONLY)
	}})
	if err != nil {
		return -1, err
	}
	defer func() { err = errors.Join(err, closeFiles(files)) }()
	if files[0].err != nil {
		return -1, files[0].err
	}
	fds, err := b.ch.send([]int{files[0].fd})
	if err != nil {
		return -1, err
	}
	return fds[0], nil
}

// describe queues it. exe is C's descriptor of the caller's program, or -1 where C has that.
func (b *build) describe(exe int) {
	if fieldsOnly() {
		if exe >= 0 {
			b.setField(unix.PR_SET_MM_EXE_FILE, uintptr(exe), 0)
		}
		return // see setFields
	}
	b.script.room(3, 104+len(b.snap.auxv)+64)
	auxv := b.script.data(b.snap.auxv)
	l := b.snap.layout.encode(auxv, len(b.snap.auxv), exe)
	b.script.add("prctl(PR_SET_MM)", 0, unix.SYS_PRCTL, unix.PR_SET_MM, unix.PR_SET_MM_MAP, b.script.data(l), uintptr(len(l)), 0)
}

// exeState is what is known about both programs' files.
type exeState struct{ differs bool }

// compareExe finds out whether C runs another file than the caller.
func (b *build) compareExe() error {
	a, err := readLink(b.snap.caller.TID, "exe")
	if err != nil {
		return err
	}
	c, err := readLink(b.c.TID, "exe")
	if err != nil {
		return err
	}
	same, err := sameFile(procPath(b.snap.caller.TID, "exe"), procPath(b.c.TID, "exe"))
	b.exe.differs = a != c || !same
	return err
}

// sameFile reports whether two paths lead to one inode.
func sameFile(a, b string) (bool, error) {
	sa, err := known(a, unix.STATX_INO)
	if err != nil {
		return false, err
	}
	sb, err := known(b, unix.STATX_INO)
	return sa.Dev_major == sb.Dev_major && sa.Dev_minor == sb.Dev_minor && sa.Ino == sb.Ino, err
}

// setName gives C the calling thread's name (comm).
func (b *build) setName() error {
	b.script.room(1, 16)
	b.script.add("prctl(PR_SET_NAME)", 0, unix.SYS_PRCTL, unix.PR_SET_NAME, b.script.text(b.snap.comm))
	return nil
}
