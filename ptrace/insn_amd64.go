// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// vdso describes this kernel's vdso, which is the same in every 64-bit process.
type vdso struct {
	syscall uint64 // offset of a `syscall` instruction
	size    uint64 // pages
	spare   uint64 // offset of zero bytes behind the ELF image, where there are any
	code    uint64 // what stands from that `syscall` on
}

// ourVDSO reads it once from this process.
var ourVDSO = sync.OnceValues(func() (vdso, error) {
	base, err := vdsoBase(os.Getpid())
	if err != nil {
		return vdso{}, err
	}
	return readVDSO(base)
})

func readVDSO(base uint64) (vdso, error) {
	self := &Stopped{TID: os.Getpid()}
	const most = 4 << 12
	image := make([]byte, 0, most)
	for len(image) < most {
		page := make([]byte, 1<<12)
		if self.Read(uintptr(base)+uintptr(len(image)), page) != nil {
			break
		}
		image = append(image, page...)
	}
	at := bytes.Index(image, []byte{0x0f, 0x05})
	f, err := elf.NewFile(bytes.NewReader(image))
	if at < 0 || err != nil {
		return vdso{}, ErrNoSyscall
	}
	end := imageEnd(image, f)
	size := (end + 0xfff) &^ 0xfff
	code := binary.LittleEndian.Uint64(image[at:])
	return vdso{syscall: uint64(at), size: size, spare: (end + 15) &^ 15, code: code}, nil
}

// hasVDSO reports whether the tracee still has the vdso mapped where it was put, and
// nothing else of its own.
func (s *Stopped) hasVDSO(base uint64, v vdso) (bool, error) {
	var word uint64
	err := requestMem("PEEKTEXT", unix.PTRACE_PEEKTEXT, s.TID, uintptr(base+v.syscall), bytesOf(&word))
	if Gone(err) {
		return false, err
	}
	return err == nil && word == v.code, nil
}

// imageEnd is the offset behind the last byte that the ELF file uses: its
// section headers come last.
func imageEnd(image []byte, f *elf.File) uint64 {
	shoff := binary.LittleEndian.Uint64(image[0x28:])
	shentsize, shnum := binary.LittleEndian.Uint16(image[0x3a:]), binary.LittleEndian.Uint16(image[0x3c:])
	end := shoff + uint64(shentsize)*uint64(shnum)
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD {
			end = max(end, p.Off+p.Filesz)
		}
	}
	return end
}

// vdsoBase finds where tid's vdso is, by its auxiliary vector (AT_SYSINFO_EHDR), which
// every process has until it has given up its memory.
func vdsoBase(tid int) (uint64, error) {
	const atSysinfoEHDR = 33
	b, err := readProc(tid, "auxv")
	if err != nil || len(b) == 0 {
		return 0, ErrGone
	}
	for ; len(b) >= 16; b = b[16:] {
		if binary.LittleEndian.Uint64(b) == atSysinfoEHDR {
			return binary.LittleEndian.Uint64(b[8:]), nil
		}
	}
	return 0, ErrNoSyscall
}

// syscallInsn finds a `syscall` instruction that the tracee has mapped: the
// one it stands behind, or one in its vdso.
func (s *Stopped) syscallInsn(r Regs) (uint64, error) {
	if _, in := InSyscall(r); in {
		if is, err := s.isSyscall(r.Rip - syscallLen); is || Gone(err) {
			return r.Rip - syscallLen, err
		}
	}
	v, err := ourVDSO()
	if err != nil {
		return 0, err
	}
	base, err := s.vdsoAt()
	if err != nil {
		return 0, err
	}
	if is, err := s.isSyscall(base + v.syscall); !is {
		if !Gone(err) {
			err = ErrNoSyscall
		}
		return 0, err
	}
	return base + v.syscall, nil
}

func (s *Stopped) isSyscall(at uint64) (bool, error) {
	var word uint64
	err := requestMem("PEEKTEXT", unix.PTRACE_PEEKTEXT, s.TID, uintptr(at), bytesOf(&word))
	return err == nil && word&0xffff == 0x050f, err
}
