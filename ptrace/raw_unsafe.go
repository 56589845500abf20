// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Requests that x/sys/unix has no number for on every architecture.
const (
	reqGetSigMask     = 0x420a
	reqSetSigMask     = 0x420b
	reqGetSyscallInfo = 0x420e
	reqGetRseqConfig  = 0x420f
	reqSecGetFilter   = 0x420c
	reqSecGetMetadata = 0x420d
	reqPeekSiginfo    = 0x4209
	noteXState        = 0x202
	notePrStatus      = 1
	notePrFPReg       = 2
)

// request makes one ptrace request; the error names request and thread. No
// request but SEIZE blocks, so that the Go scheduler need not hear of it (RawSyscall):
// telling it costs more than the request.
func request(name string, req, tid int, addr, data uintptr) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_PTRACE, uintptr(req), uintptr(tid), addr, data, 0, 0)
	return requestError(name, tid, errno)
}

// seize makes the one request that blocks: it waits for the end of an exec in the
// tracee's process (cred_guard_mutex, ptrace_attach() in kernel/ptrace.c), which may wait
// for another thread of ours to reap (StopBeside). The scheduler has to hear of it: with
// one processor the other thread would never run, with more the collector of garbage
// would stop it, and wait for this one.
func seize(tid, options int) error {
	_, _, errno := unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_SEIZE, uintptr(tid), 0, uintptr(options), 0, 0)
	return requestError("SEIZE", tid, errno)
}

func requestError(name string, tid int, errno unix.Errno) error {
	if errno != 0 {
		return fmt.Errorf("ptrace(%s) pid %d: %w", name, tid, errno)
	}
	return nil
}

// An address is taken within the arguments of the system call, and nowhere
// before: variables live on the goroutine's stack, which moves when it grows, and
// any Go function that is called can make it grow (unsafe.Pointer, pattern 4).

// requestMem makes a request whose data argument is the memory p.
func requestMem(name string, req, tid int, addr uintptr, p []byte) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_PTRACE, uintptr(req), uintptr(tid), addr,
		uintptr(unsafe.Pointer(&p[0])), 0, 0)
	return requestError(name, tid, errno)
}

// regset reads (set false) or writes a register set and returns its length.
func regset(name string, tid int, note uintptr, p []byte, set bool) (int, error) {
	iov := unix.Iovec{Base: &p[0], Len: uint64(len(p))}
	req := unix.PTRACE_GETREGSET
	if set {
		req = unix.PTRACE_SETREGSET
	}
	_, _, errno := unix.RawSyscall6(unix.SYS_PTRACE, uintptr(req), uintptr(tid), note,
		uintptr(unsafe.Pointer(&iov)), 0, 0)
	return int(iov.Len), requestError(name, tid, errno)
}

// rawSiginfo is the kernel's siginfo_t, as a signal of kill(2) or of a child's end has it.
type rawSiginfo struct {
	signo, errno, code int32
	_                  int32
	pid                int32
	uid                uint32
	status             int32
	_                  int32
	utime, stime       int64
	_                  [80]byte
}

// peekQueue copies what one of the tracee's two queues holds, from an index on, and returns how
// many there were.
func (s *Stopped) peekQueue(which uint32, from int, p []rawSiginfo) (int, error) {
	args := struct {
		off   uint64
		flags uint32
		nr    int32
	}{uint64(from), which, int32(len(p))}
	n, _, errno := unix.RawSyscall6(unix.SYS_PTRACE, reqPeekSiginfo, uintptr(s.TID),
		uintptr(unsafe.Pointer(&args)), uintptr(unsafe.Pointer(&p[0])), 0, 0)
	return int(n), requestError("PEEKSIGINFO", s.TID, errno)
}

// bytesOf shows v's memory as bytes, for requests that fill or read a struct.
func bytesOf[T any](v *T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(v)), unsafe.Sizeof(*v))
}
