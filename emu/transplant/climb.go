// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// A process cannot take more rights than it has: a child of a target that gave
// some up cannot become a child of a caller that kept them. But exec(2) of a
// set-user-ID program gives rights to whoever makes it, and the exec of a
// tracee whose tracer has CAP_SYS_PTRACE is no exception (kernel:
// cap_bprm_creds_from_file). So C is made to exec such a program, and is
// stopped before the program's first instruction.
//
// The program is the operator's own: a file without a name, written for the
// purpose into the file system that C sees, which only C is given, and which
// does nothing but exit should anyone ever run it.
//
// The same way, with the caller's own program, leads to the right
// /proc/PID/exe where C lacks the capability to set it (PR_SET_MM_MAP wants
// CAP_CHECKPOINT_RESTORE). It costs a difference: the target cannot setpgid(2)
// a child that has made an exec.

// climb lets C exec where it lacks something that an exec can give.
func (b *build) climb() error {
	want := credentialsOf(b.snap.status, b.snap.own)
	have := credentialsOf(b.status, b.own)
	what, forever := have.lacks(&want)
	if what == "" {
		var err error
		if what, forever, err = b.missingRight(&have); err != nil {
			return err
		}
	}
	old := b.oldMemory()
	switch {
	case forever && !b.opt.BestEffort:
		return unsupported("the target has %s", what)
	case what != "" && !forever && b.opt.ShareFS: // LSM_UNSAFE_SHARE in check_unsafe_exec(), fs/exec.c
		return unsupported("the target has %s, and an exec gives no rights to a child that shares its root", what)
	case what != "" && !forever:
		return b.exec(what, b.makeLadder)
	case old != "":
		return b.exec(old, b.makeVeil)
	case b.exe.differs && !b.opt.keepsMemory() && !maySetExe(&have):
		return b.exec("no right to set its program's file", b.callersExe)
	}
	return nil
}

// oldMemory says why the memory that C was born with cannot become the caller's. An exec
// gives it another.
func (b *build) oldMemory() string {
	switch {
	case b.opt.keepsMemory():
		return ""
	case b.needsVeil():
		return "memory that its user may have open"
	case b.announced:
		return "announced events of its own (user_events)"
	case b.sealed():
		return "sealed mappings (mseal(2))"
	case differentVDSO(vdsoMaps(b.maps), vdsoMaps(b.snap.maps)) != "":
		return "another vdso than the caller"
	}
	return ""
}

func maySetExe(c *credentials) bool {
	const checkpointRestore = 40
	if fieldsOnly() {
		return hasCap(c.caps.effective, unix.CAP_SYS_RESOURCE)
	}
	return hasCap(c.caps.effective, unix.CAP_SYS_ADMIN) || hasCap(c.caps.effective, checkpointRestore)
}

// exec makes C execute the file that open returns, and takes over the image.
func (b *build) exec(why string, open func() (int, error)) error {
	if b.opt.ShareVM || b.opt.ShareFiles || b.opt.ShareSighand {
		return unsupported("the target has %s, and a child that shares resources cannot exec", why)
	}
	b.admitRoot()
	fd, err := open()
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	for _, prepare := range []func() error{b.relaxLimits, b.openChannel} {
		if err := prepare(); err != nil {
			return err
		}
	}
	there, err := b.ch.send([]int{fd})
	if err != nil {
		return err
	}
	defer b.drop()
	if err := b.script.run(); err != nil {
		return err
	}
	empty := b.script.text("")
	if err := b.script.batch.Flush(); err != nil {
		return err
	}
	_, err = b.inj.Call(unix.SYS_EXECVEAT, uintptr(there[0]), empty, 0, 0, unix.AT_EMPTY_PATH, 0)
	if err != nil {
		return fmt.Errorf("exec for the target's child, which has %s: %w", why, err)
	}
	b.inj.Forget()
	if err := b.inj.End(); err != nil {
		return err
	}
	b.opt.KeepMemory = false
	return b.begin2()
}

// begin2 looks at C's new image and opens injection and stage in it.
func (b *build) begin2() error {
	for _, again := range []func() error{b.look, b.begin, b.openStage, b.askAttrs, b.compare, b.readAttrs} {
		if err := again(); err != nil {
			return err
		}
	}
	return nil
}

// callersExe opens the caller's program.
func (b *build) callersExe() (int, error) {
	return openProc(b.snap.caller.TID, "exe", unix.O_PATH)
}

// makeLadder writes the set-user-ID program, owned by the root of C's user
// namespace, into a directory that C sees on a mount where such programs work.
func (b *build) makeLadder() (int, error) {
	root, err := b.rootID()
	if err != nil {
		return -1, err
	}
	return b.place(root, 0o4711)
}

// admitRoot clears SECBIT_NOROOT, with which an exec gives root nothing and takes what it
// has. C gets the caller's securebits in the end.
func (b *build) admitRoot() {
	have := credentialsOf(b.status, b.own)
	if have.secureBits&secNoRoot != 0 && !have.rootIsNobody() {
		b.queueCaps("choose securebits", have.caps.permitted, have.caps.permitted, have.caps.inheritable)
		b.securebits(have.secureBits &^ secNoRoot)
	}
}

// makeVeil is makeLadder where C has all rights that it needs. Where root is nobody, or
// nothing special, an exec takes them, but for those in the ambient set.
func (b *build) makeVeil() (int, error) {
	have := credentialsOf(b.status, b.own)
	if _, err := b.rootID(); err == nil && !have.rootIsNobody() {
		return b.makeLadder()
	}
	kept := have.caps.permitted & (have.caps.bounding | have.caps.inheritable)
	b.queueCaps("be kept", have.caps.effective, have.caps.permitted, kept)
	b.queueAmbient(kept, have.caps.ambient)
	return b.place(os.Geteuid(), 0o111)
}

// place writes the program into a directory that C sees, on a mount where it works. Root gets
// its rights from any program (handle_privileged_root() in security/commoncap.c).
func (b *build) place(owner int, mode uint32) (int, error) {
	bars := int64(unix.ST_NOEXEC | unix.ST_RDONLY)
	if mode&unix.S_ISUID != 0 && b.status.Uid[1] != uint32(owner) {
		bars |= unix.ST_NOSUID
	}
	for _, dir := range []string{"/tmp", "/var/tmp", "/run", "/dev/shm", "/", "/etc", "/root", "/home"} {
		fd, err := writeLadder(procPath(b.c.TID, "root"+dir), bars, owner, mode)
		if err == nil {
			return fd, nil
		}
	}
	return -1, unsupported("the target's child needs more rights than it has, " +
		"and sees no writable directory on a mount where programs give rights")
}

// writeLadder holds the lock that keeps other goroutines' forks away (os/exec), which would have
// the file open for writing until their exec: C could not execute it (ETXTBSY).
func writeLadder(dir string, bars int64, owner int, mode uint32) (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return -1, err
	}
	if st.Flags&bars != 0 {
		return -1, unix.EPERM
	}
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return -1, err
	}
	defer unix.Close(fd)
	if _, err := unix.Write(fd, ladder()); err != nil {
		return -1, err
	}
	if err := unix.Fchown(fd, owner, owner); err != nil {
		return -1, err
	}
	if err := unix.Fchmod(fd, mode); err != nil { // after fchown, which clears the bit
		return -1, err
	}
	return unix.Open("/proc/self/fd/"+strconv.Itoa(fd), unix.O_PATH|unix.O_CLOEXEC, 0)
}

// rootID is the operator's number for uid 0 of C's user namespace.
func (b *build) rootID() (int, error) {
	ids, err := b.idMaps()
	if err != nil || ids.uid == nil {
		return 0, err
	}
	for _, r := range ids.uid {
		if r.inside == 0 && r.count > 0 {
			return int(r.outside), nil
		}
	}
	return 0, unsupported("the target's user namespace has no root")
}

// ladder is a static ELF program that exits with status 1.
func ladder() []byte {
	const base, headers = 0x400000, 64 + 56
	code := []byte{
		0xb8, 0xe7, 0x00, 0x00, 0x00, // mov eax, exit_group
		0xbf, 0x01, 0x00, 0x00, 0x00, // mov edi, 1
		0x0f, 0x05, // syscall
	}
	le := binary.LittleEndian
	p := append([]byte("\x7fELF\x02\x01\x01"), make([]byte, 9)...)
	p = le.AppendUint16(p, 2)    // ET_EXEC
	p = le.AppendUint16(p, 0x3e) // EM_X86_64
	p = le.AppendUint32(p, 1)
	p = le.AppendUint64(p, base+headers) // entry
	p = le.AppendUint64(p, 64)           // program headers
	p = le.AppendUint64(p, 0)
	p = le.AppendUint32(p, 0)
	for _, v := range []uint16{64, 56, 1, 0, 0, 0} {
		p = le.AppendUint16(p, v)
	}
	p = le.AppendUint32(p, 1) // PT_LOAD
	p = le.AppendUint32(p, 5) // readable, executable
	size := uint64(headers + len(code))
	for _, v := range []uint64{0, base, base, size, size, 0x1000} {
		p = le.AppendUint64(p, v)
	}
	return append(p, code...)
}
