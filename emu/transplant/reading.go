package transplant

import (
	"encoding/binary"
	"slices"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
	"cloneat-emu/ptrace"
)

// C reads the caller's memory by process_vm_readv(2) where it may: that takes the caller's
// pages by the hundred and copies them once, a file /proc/PID/mem one by one, and twice
// (mem_rw() in fs/proc/base.c). Measured for small pages made beforehand: 1.5 us a page
// against 1.9, for huge ones 1.3 against 1.7.

// reading is how C reads the caller's memory.
type reading struct {
	caller int           // the caller's number in C's pid namespace; 0: it has none
	tried  ptrace.Result // of a byte read so
	mem    int           // C's descriptor of the caller's /proc/PID/mem; -1: not opened
}

// direct reports whether C may name the caller, and read it so.
func (r *reading) direct() bool { return r.caller != 0 && r.tried == ptrace.Result{Value: 1} }

// askReading has C try. It has the rights that it was born with; what it gets on its way
// (see climb) is more.
func (b *build) askReading() error {
	if b.opt.keepsMemory() {
		return nil
	}
	same, err := sameNS(b.snap.caller.TID, b.c.TID, proc.PID)
	if err != nil || !same {
		return err
	}
	ids := b.snap.status.NSpid
	b.reading.caller = ids[len(ids)-1]
	byteAt := func(addr uint64) uintptr { return b.script.data(iovecs([]span{{addr, addr + 1}})) }
	b.script.ask(&b.reading.tried, "process_vm_readv", unix.SYS_PROCESS_VM_READV, uintptr(b.reading.caller),
		byteAt(uint64(b.script.reserve(8))), 1, byteAt(b.snap.regs.Rip), 1, 0)
	return nil
}

// readsDirect reports whether the mapping's contents are read by process_vm_readv(2), which
// gives nothing that the caller may not read itself.
func (b *build) readsDirect(w fillWork) bool { return b.reading.direct() && w.readable() }

// read has C read one span.
func (b *build) read(w fillWork, s span) {
	if b.readsDirect(w) {
		b.readDirect([]span{s})
	} else {
		b.readFile([]span{s})
	}
}

// openReading gives C the file if something is to be read through it.
func (b *build) openReading(work []fillWork) (err error) {
	if slices.ContainsFunc(work, func(w fillWork) bool { return !b.readsDirect(w) }) {
		b.reading.mem, err = b.ch.sendProc(b.snap.caller.TID, "mem", unix.O_RDONLY)
	}
	return err
}

func (b *build) closeReading() {
	if b.reading.mem >= 0 {
		b.ch.drop(b.reading.mem)
	}
}

// iovecs lays out struct iovecs.
func iovecs(spans []span) []byte {
	b := make([]byte, 0, len(spans)*iovecSize)
	for _, s := range spans {
		b = binary.LittleEndian.AppendUint64(b, s.start)
		b = binary.LittleEndian.AppendUint64(b, s.end-s.start)
	}
	return b
}

const (
	iovecSize = 16
	maxIovecs = 1024 // UIO_MAXIOV
	// maxRead bounds a single read, which the kernel cuts at 2 GiB (MAX_RW_COUNT).
	maxRead = 1 << 30
)

// readDirect has C read the spans into their own places.
func (b *build) readDirect(spans []span) {
	for _, v := range vectors(cut(spans)) {
		size := uint64(0)
		for _, s := range v {
			size += s.end - s.start
		}
		b.script.room(1, len(v)*iovecSize)
		at, n := b.script.data(iovecs(v)), uintptr(len(v))
		b.script.expect(uintptr(size), "copy of memory", v[0].start, unix.SYS_PROCESS_VM_READV,
			uintptr(b.reading.caller), at, n, at, n, 0)
	}
}

// readFile has C read the spans through the caller's /proc/PID/mem, which gives memory that
// the caller itself may not read, too.
func (b *build) readFile(spans []span) {
	for _, s := range cut(spans) {
		n := uintptr(s.end - s.start)
		b.script.expect(n, "copy of memory", s.start, unix.SYS_PREAD64,
			uintptr(b.reading.mem), uintptr(s.start), n, uintptr(s.start))
	}
}

// cut makes spans of at most maxRead bytes.
func cut(spans []span) (short []span) {
	for _, s := range spans {
		for ; s.end-s.start > maxRead; s.start += maxRead {
			short = append(short, span{s.start, s.start + maxRead})
		}
		short = append(short, s)
	}
	return short
}

// vectors makes lists of short spans for one call each.
func vectors(spans []span) (lists [][]span) {
	for len(spans) > 0 {
		n, size := 0, uint64(0)
		for n < min(len(spans), maxIovecs) && size+spans[n].end-spans[n].start <= maxRead {
			size += spans[n].end - spans[n].start
			n++
		}
		lists, spans = append(lists, spans[:n]), spans[n:]
	}
	return lists
}
