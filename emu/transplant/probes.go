// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"bytes"
	"encoding/binary"

	"cloneat-emu/ptrace"

	"golang.org/x/sys/unix"
)

// uprobes put breakpoints into the code of those whom they trace, and fork(2) tells the
// kernel that the child has them too (kernel/events/uprobes.c, uprobe_dup_mmap()). C is told
// of those that are meant for it, too, when it maps the code; one of the caller's alone
// would be nobody's there, and its end.

// breakpoint is an int3.
const breakpoint = 0xcc

// leaveProbes takes the breakpoints that only the caller has out of p, its memory at at: C
// has its own code there. The process has not written them itself, whose memory the kernel
// would account for, and what it has changed through /proc is more than a byte.
func (b *build) leaveProbes(m *mapping, at uint64, p []byte) error {
	if m.anonymous() || m.prot&unix.PROT_EXEC == 0 || m.has("ac") || bytes.IndexByte(p, breakpoint) < 0 {
		return nil
	}
	own := make([]byte, len(p))
	if err := b.c.Read(uintptr(at), own); err != nil {
		return err
	}
	for i := range p {
		if p[i] == breakpoint && alone(p, own, i) {
			p[i] = own[i]
		}
	}
	return nil
}

// alone reports whether the two differ at i, and not beside it.
func alone(p, own []byte, i int) bool {
	same := func(i int) bool { return i < 0 || i >= len(p) || p[i] == own[i] }
	return !same(i) && same(i-1) && same(i+1)
}

// checkReturns refuses a child that would come back to where a uretprobe leads it: the
// address that it took away from the caller's stack is the kernel's secret, and that of
// the thread. It leads to the beginning of what it calls [uprobes].
func (b *build) checkReturns() error {
	var trampoline, end uint64
	stack := ptrace.Stack(b.snap.regs)
	for i := range b.snap.maps {
		m := &b.snap.maps[i]
		if m.name == "[uprobes]" {
			trampoline = m.start
		}
		if m.start <= stack && stack < m.end {
			end = m.end
		}
	}
	if trampoline == 0 || b.opt.StackPointer != 0 {
		return nil
	}
	const word = 8
	buf := make([]byte, 256<<10)
	for at := stack &^ (word - 1); at < end; at += uint64(len(buf)) {
		p := buf[:min(uint64(len(buf)), end-at)]
		if err := b.snap.caller.Read(uintptr(at), p); err != nil {
			return err
		}
		for ; len(p) >= word; p = p[word:] {
			if binary.LittleEndian.Uint64(p) == trampoline {
				return unsupported("the caller is in a function whose return is traced (uretprobe)")
			}
		}
	}
	return nil
}
