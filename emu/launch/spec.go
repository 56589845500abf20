package launch

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	Sources []int `json:"-"`
	// Signals is what the program is to find of signals.
	Signals Signals
	// Numbers are the calls that the filter notifies besides cloneat.
	Numbers []uint32 `json:",omitempty"`
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

// memfd puts s into a memory file, which has no limit of size as argv has and is
// in nobody's way in the file system.
func (s *Spec) memfd() (*os.File, error) {
	data, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encoding the program's description: %w", err)
	}
	fd, err := unix.MemfdCreate("cloneat-spec", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("memfd_create: %w", err)
	}
	f := os.NewFile(uintptr(fd), "spec")
	if _, err := f.Write(data); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// readSpec reads from the start, wherever the shared offset is.
func readSpec(fd int) (*Spec, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, fmt.Errorf("fstat: %w", err)
	}
	data := make([]byte, st.Size)
	if n, err := unix.Pread(fd, data, 0); err != nil || n != len(data) {
		return nil, errors.Join(err, io.ErrUnexpectedEOF)
	}
	s := new(Spec)
	return s, json.Unmarshal(data, s)
}
