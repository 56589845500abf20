// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"sync"

	"golang.org/x/sys/unix"
)

// fillWork is a mapping and the ranges in it that are to be filled.
type fillWork struct {
	m     *mapping
	spans []span
	force bool // C's mapping is not writable: write as a debugger does
}

// readsAnything reports whether a file /proc/PID/mem gives memory that its owner may not
// read to somebody who does not trace it (proc_mem.force_override=always; Linux 6.12 has
// others).
var readsAnything = sync.OnceValue(func() bool {
	p, err := unix.Mmap(-1, 0, pageSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return false
	}
	defer func() { _ = unix.Munmap(p) }()
	p[0] = 1
	at := addressOf(&p[0])
	if unix.Mprotect(p, unix.PROT_NONE) != nil {
		return false
	}
	fd, err := unix.Open("/proc/self/mem", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	n, _ := unix.Pread(fd, make([]byte, 1), int64(at))
	return n == 1
})

// fills reports whether m has contents to be copied: not where the caller
// asked for a child without them (MADV_WIPEONFORK).
func (b *build) fills(m *mapping) bool {
	return !m.shared && !m.has("wf") && len(b.toFill[m.start]) > 0
}

// planContents finds out which ranges of which mapping are to be filled.
func (b *build) planContents() {
	b.toFill = map[uint64][]span{}
	for i := range b.snap.maps {
		m := &b.snap.maps[i]
		if m.shared || m.vdso() || m.has("dc") || m.has("wf") {
			continue
		}
		if spans := within(b.snap.pages.private, m.start, m.end); len(spans) > 0 && !b.kept[m.start] {
			b.toFill[m.start] = spans
		}
	}
}

// fillContents brings the contents of private pages from the caller into C, whose
// mappings are there and, where possible, writable. It need not be done when this
// returns: the next run waits for it.
func (b *build) fillContents() error {
	var work []fillWork
	for i := range b.snap.maps {
		m := &b.snap.maps[i]
		if !b.fills(m) {
			continue
		}
		if m.has("ur") {
			return unsupported("userfaultfd tells of the use of the caller's memory at %#x, and to copy it is to use it", m.start)
		}
		prot := m.prot
		if !b.kept[m.start] {
			prot = b.buildProt(m)
		}
		w := fillWork{m: m, spans: b.toFill[m.start], force: prot&unix.PROT_WRITE == 0}
		work = append(work, w)
		for _, s := range w.spans {
			b.stats.Bytes += s.end - s.start
		}
	}
	b.stats.Pages = b.stats.Bytes / pageSize
	return b.fill(work)
}

// fill copies everything at once: C itself reads the caller's /proc/PID/mem, opened by the operator, straight into its own
// mappings. One copy by the kernel, no buffer of ours in between, and half the
// page faults' cost of process_vm_writev(2), which faults each page in from
// outside (measured for 100 MB: 64 ms against 85, with huge pages 28 and 58).
func (b *build) fill(work []fillWork) error {
	mem, err := b.ch.sendProc(b.snap.caller.TID, "mem", unix.O_RDONLY)
	if err != nil {
		return err
	}
	var spans []span // joined across mappings: there may be tens of thousands
	var ofFiles []*filePage
	for _, w := range work {
		if w.force || w.m.prot&unix.PROT_READ == 0 && !readsAnything() {
			if err := b.forceFill(w); err != nil {
				return err
			}
			continue
		}
		for _, s := range w.spans {
			if !w.m.anonymous() && !w.m.has("ht") {
				ofFiles = append(ofFiles, &filePage{span: s, m: w.m})
				continue
			}
			b.prepare(mem, w.m, s)
			spans = appendSpan(spans, s.start, s.end)
		}
	}
	if err := b.copyFilePages(mem, ofFiles); err != nil {
		return err
	}
	b.queueFill(mem, spans)
	b.ch.drop(mem)
	return b.script.launch()
}

// maxRead bounds a single read, which the kernel cuts at 2 GiB (MAX_RW_COUNT).
const maxRead = 1 << 30

func (b *build) queueFill(fd int, spans []span) {
	for _, s := range spans {
		for at := s.start; at < s.end; at += maxRead {
			n := min(maxRead, s.end-at)
			b.script.expect(uintptr(n), "copy of memory", at, unix.SYS_PREAD64,
				uintptr(fd), uintptr(at), uintptr(n), uintptr(at))
		}
	}
}

// forceFill writes through /proc/C/mem into mappings that C must not make
// writable, not even for a moment (see buildProt).
func (b *build) forceFill(w fillWork) error {
	if err := b.script.run(); err != nil {
		return err
	}
	buf := make([]byte, 256<<10)
	for _, s := range w.spans {
		for at := s.start; at < s.end; at += uint64(len(buf)) {
			p := buf[:min(uint64(len(buf)), s.end-at)]
			if err := b.snap.caller.Read(uintptr(at), p); err != nil {
				return err
			}
			if err := b.leaveProbes(w.m, at, p); err != nil {
				return err
			}
			if err := b.c.Write(uintptr(at), p); err != nil {
				return err
			}
		}
	}
	return nil
}
