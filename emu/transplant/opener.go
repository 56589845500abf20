// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"cloneat-emu/internal/threads"
	"cloneat-emu/ptrace"
)

// To open a file may take for ever, and nothing but a deadly signal ends that: who has to permit
// it (fanotify(7)), or the server of its file system, may be dead, or be the caller, which is
// stopped. So another thread opens the files, and this one waits for it only so long.
//
//	worker                              opener
//	names the files
//	waits: openBound                    open, open, ...
//	gives the call up: EBUSY            still there, until somebody answers
//	                                    closes what it has

// openBound is how long the files of a call may take.
const openBound = 5 * time.Second

// openedFile is what came of opening one of them.
type openedFile struct {
	fd  int
	err error
}

// openFiles opens the files behind the caller's mappings. Precondition: nobody changes those.
func openFiles(tid int, maps []*mapping) ([]openedFile, error) {
	if len(maps) == 0 {
		return nil, nil
	}
	done := make(chan []openedFile, 1)
	var over atomic.Bool
	go func() {
		var all []openedFile
		for i := 0; i < len(maps) && !over.Load(); i++ {
			fd, err := openMapped(tid, maps[i])
			all = append(all, openedFile{fd, err})
		}
		done <- all
	}()
	late := time.NewTimer(openBound)
	defer late.Stop()
	select {
	case all := <-done:
		return all, nil
	case <-late.C:
	}
	over.Store(true)
	threads.Renew() // one of them is there for long
	go func() { closeFiles(<-done) }()
	return nil, fmt.Errorf("a file that the caller has mapped cannot be opened within %v: %w", openBound, ptrace.ErrBusy)
}

func closeFiles(all []openedFile) {
	for _, f := range all {
		if f.err == nil {
			unix.Close(f.fd)
		}
	}
}
