// SPDX-License-Identifier: Apache-2.0

package launch

import (
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Spec is the program to start, and what it is to find.
type Spec struct {
	Path  string   // the file to execute
	Args  []string // argv, the name included
	Env   []string
	Dir   string // working directory; empty: the front's
	Files []int  // the descriptors that the program inherits, ascending
	// Sources are the numbers that Files have in the first process; nil: the same.
	Sources []int
	// Signals is what the program is to find of signals.
	Signals Signals
	// Kept is what the program is to find that only an exec hands down.
	Kept Kept
	// Numbers are the calls that the filter notifies besides cloneat.
	Numbers []uint32
	// Extra is for the stage before (the operator's configuration).
	Extra json.RawMessage
}

// Base is the number of the first of our own descriptors in a stage: above all that
// the program inherits, so that neither is in the other's way.
func (s *Spec) Base() int {
	base := 3
	for _, fd := range s.Files {
		base = max(base, fd+1)
	}
	return base
}

// A stage reads its description from a pipe: that has no limit of size as argv has, nor
// one that RLIMIT_FSIZE sets, as any file. The text is gob's: names, arguments and
// environments need not be UTF-8, as JSON would have them.

// writeTo tells a stage that has been started. One that died is told nothing: who waits
// for what it says hears of that.
func (s *Spec) writeTo(pipe *os.File) error {
	defer pipe.Close()
	told := *s
	told.Sources = nil // they have their numbers there
	if err := gob.NewEncoder(pipe).Encode(told); err != nil && !errors.Is(err, unix.EPIPE) {
		return fmt.Errorf("describing the program: %w", err)
	}
	return nil
}

func readSpec(pipe int) (*Spec, error) {
	f := os.NewFile(uintptr(pipe), "spec")
	defer f.Close()
	s := new(Spec)
	return s, gob.NewDecoder(f).Decode(s)
}
