package proc

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// Smap is what /proc/PID/smaps adds to a mapping.
type Smap struct {
	Map
	Rss, Anonymous uint64   // bytes
	VmFlags        []string // two letters each: rd wr mr mw me sh gd io lo ...
}

// Has reports whether the mapping has the VM flag of that two-letter name,
// fs/proc/task_mmu.c show_smap_vma_flags().
func (s *Smap) Has(flag string) bool { return slices.Contains(s.VmFlags, flag) }

// Smaps reads all mappings with their VM flags. It walks the page tables, which
// takes milliseconds for a large process: read it only where maps will not do.
func (d *Dir) Smaps() ([]Smap, error) {
	b, err := d.ReadFile("smaps")
	if err != nil {
		return nil, err
	}
	smaps, err := ParseSmaps(b)
	if err != nil {
		return nil, fmt.Errorf("%s/smaps: %w", d.at, err)
	}
	return smaps, nil
}

// ParseSmaps reads the text of a smaps file. Lines of details begin with a
// capital letter, lines of maps with a digit of the address.
func ParseSmaps(b []byte) ([]Smap, error) {
	var smaps []Smap
	for raw := range bytes.Lines(b) {
		line := strings.TrimSuffix(string(raw), "\n")
		if line == "" || line[0] < 'A' || line[0] > 'Z' {
			m, err := parseMap(line)
			if err != nil {
				return nil, fmt.Errorf("%q: %w", line, err)
			}
			smaps = append(smaps, Smap{Map: m})
			continue
		}
		if len(smaps) == 0 {
			return nil, fmt.Errorf("%q: before any mapping", line)
		}
		if err := smaps[len(smaps)-1].detail(line); err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
	}
	return smaps, nil
}

func (s *Smap) detail(line string) error {
	key, value, _ := strings.Cut(line, ":")
	value = strings.TrimSpace(value)
	switch key {
	case "Rss":
		return kilobytes(&s.Rss, value)
	case "Anonymous":
		return kilobytes(&s.Anonymous, value)
	case "VmFlags":
		s.VmFlags = strings.Fields(value)
	}
	return nil
}
