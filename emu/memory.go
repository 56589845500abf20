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

func transfer(do func(int, []unix.Iovec, []unix.RemoteIovec, uint) (int, error), tid int, p []byte, addr uint64) error {
	local := []unix.Iovec{{Base: &p[0], Len: uint64(len(p))}}
	n, err := do(tid, local, []unix.RemoteIovec{{Base: uintptr(addr), Len: len(p)}}, 0)
	if err != nil || n != len(p) {
		return unix.EFAULT
	}
	return nil
}
