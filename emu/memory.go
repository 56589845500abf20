// SPDX-License-Identifier: Apache-2.0

package emu

import "golang.org/x/sys/unix"

// callerMemory reads a thread's memory as the thread itself could: what it has
// no right to read is an error (process_vm_readv(2); /proc/PID/mem would not do).
type callerMemory struct{ tid int }

// ReadAt fills p from addr, or fails with EFAULT.
func (m callerMemory) ReadAt(p []byte, addr uint64) error {
	return transfer(unix.ProcessVMReadv, m.tid, p, addr)
}

// WriteAt puts p at addr, or fails with EFAULT.
func (m callerMemory) WriteAt(p []byte, addr uint64) error {
	return transfer(unix.ProcessVMWritev, m.tid, p, addr)
}

// forbidden reports whether the supervisor may not read the thread at all, which is
// no fault of the caller's pointers.
func (m callerMemory) forbidden() bool {
	var b [1]byte
	local := []unix.Iovec{{Base: &b[0], Len: 1}}
	_, err := unix.ProcessVMReadv(m.tid, local, []unix.RemoteIovec{{Len: 1}}, 0)
	return err == unix.EPERM
}

func transfer(do func(int, []unix.Iovec, []unix.RemoteIovec, uint) (int, error), tid int, p []byte, addr uint64) error {
	local := []unix.Iovec{{Base: &p[0], Len: uint64(len(p))}}
	n, err := do(tid, local, []unix.RemoteIovec{{Base: uintptr(addr), Len: len(p)}}, 0)
	if err != nil || n != len(p) {
		return unix.EFAULT
	}
	return nil
}
