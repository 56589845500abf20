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

// To open a file may take for ever, and so may to close it, of which the server of its file system
// is told (FUSE_FLUSH): who has to permit it (fanotify(7)), or that server, may be dead, or be the
// caller, which is stopped. Nothing but a deadly signal ends that, and a server that has begun not
// even that. So another thread opens and closes the caller's files, and this one, which traces who
// is stopped, waits for it only so long.
//
//	worker                              opener
//	names the files
//	waits: Patience                     open, open, ...
//	gives the call up: EBUSY            still there, until somebody answers
//	                                    closes what it has

// inTime has do done by another thread, which may be there for long: false if it still is after
// [ptrace.Patience].
func inTime(do func()) bool {
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	late := time.NewTimer(ptrace.Patience)
	defer late.Stop()
	select {
	case <-done:
		return true
	case <-late.C:
		threads.Renew()
		return false
	}
}

// closeCopies closes descriptors of ours for the caller's files. Those behind one that takes for ever
// are closed all the same, or a pipe's reader would wait as long.
func closeCopies(fds []int) error {
	if len(fds) == 0 {
		return nil
	}
	var next atomic.Int32
	rest := func() {
		for i := next.Add(1) - 1; int(i) < len(fds); i = next.Add(1) - 1 {
			unix.Close(fds[i])
		}
	}
	if inTime(rest) {
		return nil
	}
	go func() {
		for !inTime(rest) {
		}
	}()
	return fmt.Errorf("a file that the caller has open cannot be closed within %v: %w", ptrace.Patience, ptrace.ErrBusy)
}

// openedFile is what came of opening one of them.
type openedFile struct {
	fd  int
	err error
}

// openFiles opens the files behind the caller's mappings. Precondition: nobody changes those.
func openFiles(tid int, maps []*mapping) ([]openedFile, error) {
	open := make([]func() (int, error), len(maps))
	for i, m := range maps {
		open[i] = func() (int, error) { return openMapped(tid, m) }
	}
	return openSoon(open)
}

// openSoon opens files, if that is done in time.
func openSoon(open []func() (int, error)) ([]openedFile, error) {
	if len(open) == 0 {
		return nil, nil
	}
	done := make(chan []openedFile, 1)
	var over atomic.Bool
	if inTime(func() {
		var all []openedFile
		for i := 0; i < len(open) && !over.Load(); i++ {
			fd, err := open[i]()
			all = append(all, openedFile{fd, err})
		}
		done <- all
	}) {
		return <-done, nil
	}
	over.Store(true)
	go func() { _ = closeFiles(<-done) }()
	return nil, fmt.Errorf("a file that the caller has mapped, or executes, cannot be opened within %v: %w", ptrace.Patience, ptrace.ErrBusy)
}

func closeFiles(all []openedFile) error {
	var fds []int
	for _, f := range all {
		if f.err == nil {
			fds = append(fds, f.fd)
		}
	}
	return closeCopies(fds)
}
