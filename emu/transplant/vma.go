// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"bytes"
	"strings"

	"golang.org/x/sys/unix"
)

// mapping is one entry of /proc/TID/smaps.
type mapping struct {
	start, end uint64
	prot       int // PROT_*
	shared     bool
	offset     uint64
	dev        string // "08:01"
	inode      uint64
	name       string // a path, "[heap]", "[anon:...]", or ""
	pageSize   uint64 // the kernel's page size, of hugetlbfs another one
	pkey       int
	flags      string // VmFlags, two letters each: "rd wr mr mw me ac"
	alone      uint64 // kB of pages that are no file's, swapped out ones included; not of huge pages
}

// shape is the mapping without what is in it, and with its flags as which leaves them: to be compared.
func (m *mapping) shape(which func(string) string) mapping {
	s := *m
	s.flags, s.alone = which(m.flags), 0
	return s
}

func (m *mapping) size() uint64 { return m.end - m.start }

// has reports a VmFlag; see fs/proc/task_mmu.c, show_smap_vma_flags().
func (m *mapping) has(flag string) bool { return strings.Contains(m.flags, flag) }

// vdso reports whether m is one of the pages that the kernel gives every
// process: [vdso], [vvar], [vvar_vclock].
func (m *mapping) vdso() bool {
	return strings.HasPrefix(m.name, "[vvar") || m.name == "[vdso]"
}

// kernels is the name of a file that the kernel made for itself; it shows such a one as if it
// had been deleted below the root (simple_dname() in fs/d_path.c). Empty for any other.
func (m *mapping) kernels() string {
	if name, deleted := strings.CutSuffix(m.name, " (deleted)"); deleted && strings.HasPrefix(name, "/") {
		return name[1:]
	}
	return ""
}

// anonymous reports whether no file is behind m.
func (m *mapping) anonymous() bool { return m.inode == 0 && !strings.HasPrefix(m.name, "/") }

// readMaps reads the mappings of thread tid, vsyscall left out: it is no
// mapping of the process. smaps is read and not maps, because only it has
// VmFlags.
func readMaps(tid int) ([]mapping, error) {
	b, err := readProc(tid, "smaps")
	if err != nil {
		return nil, err
	}
	return parseSmaps(b), nil
}

func parseSmaps(b []byte) []mapping {
	var maps []mapping
	for len(b) > 0 {
		var line []byte
		line, b = nextLine(b)
		switch {
		case len(line) == 0:
		case line[0] >= 'A' && line[0] <= 'Z':
			maps[len(maps)-1].detail(line)
		default:
			maps = append(maps, parseMapsLine(line))
		}
	}
	if n := len(maps); n > 0 && maps[n-1].name == "[vsyscall]" {
		maps = maps[:n-1]
	}
	return maps
}

// detail takes one "Key: value" line.
func (m *mapping) detail(line []byte) {
	switch line[0] {
	case 'A': // Anonymous (and AnonHugePages, which are among those)
		m.alone += field(line, "Anonymous:", 0)
	case 'S': // Swap (and Size, SwapPss, Shared_Clean, ...)
		m.alone += field(line, "Swap:", 0)
	case 'K': // KernelPageSize
		m.pageSize = field(line, "KernelPageSize:", m.pageSize>>10) << 10
	case 'P': // ProtectionKey (and Pss, Private_Clean, ...)
		m.pkey = int(field(line, "ProtectionKey:", uint64(m.pkey)))
	case 'V':
		m.flags = string(bytes.TrimSpace(bytes.TrimPrefix(line, []byte("VmFlags:"))))
	}
}

// field returns the number behind key, or otherwise if line has another key.
func field(line []byte, key string, otherwise uint64) uint64 {
	if !bytes.HasPrefix(line, []byte(key)) {
		return otherwise
	}
	return parseDec(bytes.TrimSuffix(bytes.TrimSpace(line[len(key):]), []byte(" kB")))
}

// parseMapsLine parses "start-end rwxp offset dev inode   name".
func parseMapsLine(line []byte) mapping {
	var f [5][]byte
	for i := range f {
		f[i], line, _ = bytes.Cut(line, []byte{' '})
	}
	lo, hi, _ := bytes.Cut(f[0], []byte{'-'})
	m := mapping{
		start: parseHex(lo), end: parseHex(hi),
		offset: parseHex(f[2]), dev: string(f[3]), inode: parseDec(f[4]),
		name: string(bytes.TrimLeft(line, " ")), pageSize: 4096,
	}
	m.setPerms(f[1])
	return m
}

func (m *mapping) setPerms(p []byte) {
	for i, bit := range []int{unix.PROT_READ, unix.PROT_WRITE, unix.PROT_EXEC} {
		if p[i] != '-' {
			m.prot |= bit
		}
	}
	m.shared = p[3] == 's'
}
