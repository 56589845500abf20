// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"sync"

	"golang.org/x/sys/unix"
)

// numPorts is how many I/O ports there are.
const numPorts = 1 << 16

// portsExist reports whether this kernel lets programs use I/O ports.
var portsExist = sync.OnceValue(func() bool {
	const none = 0 // what everybody has
	_, _, errno := unix.Syscall(unix.SYS_IOPL, none, 0, 0)
	return errno == 0
})

// setPorts opens to C the I/O ports that are open to the caller, as far as it has the
// right to that, and closes the target's: those of ioperm(2), which a tracer is told,
// and all that iopl(2) opens, which nobody is.
func (b *build) setPorts() error {
	if !portsExist() {
		return nil
	}
	want, err := b.snap.caller.Ports()
	if err != nil {
		return err
	}
	have, err := b.c.Ports()
	if err != nil {
		return err
	}
	b.script.add("iopl", 0, unix.SYS_IOPL, 0)
	for from := 0; from < numPorts; {
		open := isOpen(want, from)
		to := from
		for to < numPorts && isOpen(want, to) == open && isOpen(have, to) != open {
			to++
		}
		switch {
		case to == from:
			to++
		case open:
			b.script.try("ioperm", unix.SYS_IOPERM, uintptr(from), uintptr(to-from), 1)
		default:
			b.script.add("ioperm", uint64(from), unix.SYS_IOPERM, uintptr(from), uintptr(to-from), 0)
		}
		from = to
	}
	return nil
}

// isOpen reads a bit of what [ptrace.Stopped.Ports] returns.
func isOpen(ports []byte, port int) bool {
	return port/8 < len(ports) && ports[port/8]>>(port%8)&1 == 0
}
