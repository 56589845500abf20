// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"encoding/binary"
	"errors"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// Before Linux 5.13 no request tells where a thread has registered with rseq(2). The
// call itself does: to unregister an area under a wrong signature is EPERM where it is
// the thread's, EINVAL elsewhere, and changes nothing (kernel/rseq.c, sys_rseq()). The
// C library and librseq register an area in the thread's own static memory, near the
// thread pointer, and under the same signature.

// RseqConfig is a thread's registration with rseq(2). Pointer 0 is none. Flags are those
// that make the same again, which FindRseq finds out.
type RseqConfig struct {
	Pointer   uint64
	Size      uint32
	Signature uint32
	Flags     uint32
	_         uint32
}

// Rseq reads the registration (PTRACE_GET_RSEQ_CONFIGURATION, Linux 5.13; before
// that it fails with EIO).
func (s *Stopped) Rseq() (RseqConfig, error) {
	var c RseqConfig
	b := bytesOf(&c)
	return c, requestMem("GET_RSEQ_CONFIGURATION", reqGetRseqConfig, s.TID, uintptr(len(b)), b)
}

// FindRseq is Rseq on any kernel: where that does not tell, it asks rseq(2). What is
// registered in another place than the libraries' or under another signature is not
// found then.
func (i *Injection) FindRseq() (RseqConfig, error) {
	c, err := i.Rseq()
	if errors.Is(err, unix.EIO) {
		return i.askRseq()
	}
	if err != nil || c.Pointer == 0 || !extendsSlices() {
		return c, err
	}
	on, err := i.Call(unix.SYS_PRCTL, prSliceExtension, sliceGet, 0, 0, 0)
	if err == nil && on != 0 {
		c.Flags = sliceDefaultOn
	}
	return c, err
}

// A thread's slices may be extended on its demand (Linux 7.0). It keeps that as long as the
// registration.
const (
	prSliceExtension = 79
	sliceGet         = 1
	sliceDefaultOn   = 1 << 1 // of rseq(2)
)

// extendsSlices reports whether this kernel has that.
var extendsSlices = sync.OnceValue(func() bool {
	_, _, errno := unix.RawSyscall(unix.SYS_PRCTL, prSliceExtension, sliceGet, 0)
	return errno == 0
})

const (
	rseqSize      = 32         // ORIG_RSEQ_SIZE (include/uapi/linux/rseq.h)
	rseqSignature = 0x53053053 // RSEQ_SIG of glibc and librseq
	rseqNear      = 4096       // bytes on either side of the thread pointer
)

func (i *Injection) askRseq() (RseqConfig, error) {
	const unregister = 1
	areas, err := i.rseqAreas()
	if err != nil {
		return RseqConfig{}, err
	}
	for _, at := range areas {
		_, err := i.Call(unix.SYS_RSEQ, at, rseqSize, unregister, ^uintptr(rseqSignature)&(1<<32-1))
		switch {
		case errors.Is(err, unix.EPERM):
			return RseqConfig{Pointer: uint64(at), Size: rseqSize, Signature: rseqSignature}, nil
		case errors.Is(err, unix.ENOSYS): // a kernel without CONFIG_RSEQ
			return RseqConfig{}, nil
		case !errors.Is(err, unix.EINVAL):
			return RseqConfig{}, err
		}
	}
	return RseqConfig{}, nil
}

// rseqAreas are the places near the thread pointer that hold what a registered area
// does when its thread is not running: the number of one processor twice, and no flags.
func (s *Stopped) rseqAreas() (areas []uintptr, err error) {
	r, err := s.Regs()
	if err != nil {
		return nil, err
	}
	mem := make([]byte, os.Getpagesize())
	page := uint64(len(mem))
	for at := (r.Fs_base - rseqNear) &^ (page - 1); at < r.Fs_base+rseqNear; at += page {
		if s.Read(uintptr(at), mem) != nil {
			continue
		}
		for off := 0; off < len(mem); off += rseqSize {
			if looksLikeRseq(mem[off:]) {
				areas = append(areas, uintptr(at)+uintptr(off))
			}
		}
	}
	return areas, nil
}

// looksLikeRseq judges a struct rseq: cpu_id_start, cpu_id, rseq_cs, flags.
func looksLikeRseq(p []byte) bool {
	const cpus = 8192 // the most that x86 has, CONFIG_NR_CPUS
	le := binary.LittleEndian
	return le.Uint32(p) == le.Uint32(p[4:]) && le.Uint32(p) < cpus && le.Uint32(p[16:]) == 0
}

// leaveCriticalSection moves the instruction pointer to the abort handler
// where it stands in an rseq critical section: a call made elsewhere lets the
// kernel forget the section (rseq_ip_fixup clears rseq_cs), and to go on inside
// it unaborted would break what it protects.
func (s *Stopped) leaveCriticalSection(r Regs) (Regs, error) {
	c, err := s.Rseq()
	areas := []uintptr{uintptr(c.Pointer)}
	if errors.Is(err, unix.EIO) {
		areas, err = s.rseqAreas() // one that is in a section shows that by itself
	}
	if err != nil {
		return r, nil
	}
	for _, at := range areas {
		if abort, in := s.sectionAt(at, r.Rip); in {
			r.Rip = abort
		}
	}
	return r, nil
}

// sectionAt reports where an area's critical section, if it has one that contains ip,
// is aborted. Of an area that cannot be read: the kernel would kill it for that, not we.
func (s *Stopped) sectionAt(area uintptr, ip uint64) (abort uint64, in bool) {
	var ptr [8]byte
	if area == 0 || s.Read(area+8, ptr[:]) != nil {
		return 0, false
	}
	at := binary.LittleEndian.Uint64(ptr[:])
	var cs [32]byte // version, flags, start_ip, post_commit_offset, abort_ip
	if at == 0 || s.Read(uintptr(at), cs[:]) != nil {
		return 0, false
	}
	start, length := binary.LittleEndian.Uint64(cs[8:]), binary.LittleEndian.Uint64(cs[16:])
	return binary.LittleEndian.Uint64(cs[24:]), ip-start < length
}
