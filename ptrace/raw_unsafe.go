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
	noteXState        = 0x202
	notePrStatus      = 1
)

// request makes one ptrace request; the error names request and thread. No
// request blocks, so that the Go scheduler need not hear of it (RawSyscall):
// telling it costs more than the request.
func request(name string, req, tid int, addr, data uintptr) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_PTRACE, uintptr(req), uintptr(tid), addr, data, 0, 0)
	if errno != 0 {
		return fmt.Errorf("ptrace(%s) pid %d: %w", name, tid, errno)
	}
	return nil
}

// requestMem makes a request whose data argument is the memory p.
func requestMem(name string, req, tid int, addr uintptr, p []byte) error {
	return request(name, req, tid, addr, uintptr(unsafe.Pointer(&p[0])))
}

// regset reads (set false) or writes a register set and returns its length.
func regset(name string, tid int, note uintptr, p []byte, set bool) (int, error) {
	iov := unix.Iovec{Base: &p[0], Len: uint64(len(p))}
	req := unix.PTRACE_GETREGSET
	if set {
		req = unix.PTRACE_SETREGSET
	}
	if err := request(name, req, tid, note, uintptr(unsafe.Pointer(&iov))); err != nil {
		return 0, err
	}
	return int(iov.Len), nil
}

// bytesOf shows v's memory as bytes, for requests that fill or read a struct.
func bytesOf[T any](v *T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(v)), unsafe.Sizeof(*v))
}
