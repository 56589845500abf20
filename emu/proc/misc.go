package proc

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// AuxEntry is one pair of the auxiliary vector, AT_* and its value.
type AuxEntry struct{ Type, Value uint64 }

// Auxv reads the auxiliary vector that the last exec set, without the AT_NULL
// at its end. It is empty for a zombie or kernel thread.
func (d *Dir) Auxv() ([]AuxEntry, error) {
	b, err := d.ReadFile("auxv")
	if err != nil {
		return nil, err
	}
	var entries []AuxEntry
	for ; len(b) >= 16; b = b[16:] {
		e := AuxEntry{binary.NativeEndian.Uint64(b), binary.NativeEndian.Uint64(b[8:])}
		if e.Type == 0 {
			break
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// Personality reads the execution domain and flags of personality(2).
func (d *Dir) Personality() (uint32, error) { return value[uint32](d, "personality", 16) }

// TimerSlack reads the current timer slack in nanoseconds. The file is only
// below the directory of a process.
func (d *Dir) TimerSlack() (uint64, error) { return value[uint64](d, "timerslack_ns", 10) }

// OOMScoreAdj reads the OOM killer's adjustment, -1000 to 1000.
func (d *Dir) OOMScoreAdj() (int, error) { return value[int](d, "oom_score_adj", 10) }

// value reads a file that holds one number.
func value[T integer](d *Dir, name string, base int) (n T, err error) {
	b, err := d.ReadFile(name)
	if err != nil {
		return 0, err
	}
	if err := number(&n, strings.TrimSpace(string(b)), base); err != nil {
		return 0, fmt.Errorf("%s/%s: %w", d.at, name, err)
	}
	return n, nil
}
