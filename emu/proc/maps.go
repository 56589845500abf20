package proc

import (
	"bytes"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// Map is a line of /proc/PID/maps: one mapping.
type Map struct {
	Start, End uint64 // [Start, End)
	Perms      string // as r-xp: the last letter is p for private, s for shared
	Offset     uint64 // into the file, bytes
	Dev        uint64 // as unix.Mkdev makes it
	Inode      uint64 // 0: no file
	// Path is empty for anonymous memory, a name in brackets for what the
	// kernel has a name for, else the file's path, with " (deleted)" where
	// it has been unlinked. A newline in a path is unescaped; so is the
	// text \012, which the kernel shows alike.
	Path string
}

// Size is the length in bytes.
func (m *Map) Size() uint64 { return m.End - m.Start }

// Readable, Writable, Executable and Shared tell the letters of Perms.
func (m *Map) Readable() bool { return m.Perms[0] == 'r' }

// Writable is PROT_WRITE.
func (m *Map) Writable() bool { return m.Perms[1] == 'w' }

// Executable is PROT_EXEC.
func (m *Map) Executable() bool { return m.Perms[2] == 'x' }

// Shared is VM_MAYSHARE, which MAP_SHARED sets.
func (m *Map) Shared() bool { return m.Perms[3] == 's' }

// Maps reads all mappings, in the order of addresses. The list is of one moment
// only if the process is stopped.
func (d *Dir) Maps() ([]Map, error) {
	b, err := d.ReadFile("maps")
	if err != nil {
		return nil, err
	}
	maps, err := ParseMaps(b)
	if err != nil {
		return nil, fmt.Errorf("%s/maps: %w", d.at, err)
	}
	return maps, nil
}

// ParseMaps reads the text of a maps file.
func ParseMaps(b []byte) ([]Map, error) {
	maps := make([]Map, 0, bytes.Count(b, []byte("\n")))
	for line := range bytes.Lines(b) {
		m, err := parseMap(strings.TrimSuffix(string(line), "\n"))
		if err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
		maps = append(maps, m)
	}
	return maps, nil
}

// parseMap splits by single blanks: the first five fields hold none, and the
// path, which may begin with some, is padded to column 73.
func parseMap(line string) (m Map, err error) {
	fields := strings.SplitN(line, " ", 6)
	if len(fields) < 5 || len(fields[1]) != 4 {
		return m, fmt.Errorf("no mapping")
	}
	from, to, _ := strings.Cut(fields[0], "-")
	major, minor, _ := strings.Cut(fields[3], ":")
	m.Perms = fields[1]
	var maj, mnr uint32
	for _, f := range []error{
		number(&m.Start, from, 16), number(&m.End, to, 16), number(&m.Offset, fields[2], 16),
		number(&maj, major, 16), number(&mnr, minor, 16), number(&m.Inode, fields[4], 10),
	} {
		if f != nil {
			return m, f
		}
	}
	m.Dev = unix.Mkdev(maj, mnr)
	if len(fields) == 6 {
		m.Path = strings.ReplaceAll(strings.TrimLeft(fields[5], " "), `\012`, "\n")
	}
	return m, nil
}
