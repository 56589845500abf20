// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/kcmp"
	"cloneat-emu/ptrace"
)

// Leftovers are what a child that is never finished leaves behind where it shares its
// descriptors or its memory with caller and target: what it works with stays in their
// table, and in their memory, when it is killed. So does what the caller works with, if it
// is killed and shares its memory with the target. Who is left has to remove that. Nobody
// does where the supervisor dies as well. The zero value is none.
type Leftovers struct {
	numbers []int        // of sockets that were made a moment ago, or may have been
	files   map[int]bool // the operator's own descriptors of the same open files
	stage   uint64
}

// hold remembers an open file that C has, or gets, until it is let go.
func (l *Leftovers) hold(fd int) (held int, err error) {
	held, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	if l.files == nil {
		l.files = map[int]bool{}
	}
	l.files[held] = true
	return held, nil
}

// letGo forgets one that C has closed.
func (l *Leftovers) letGo(held int) {
	if l.files[held] {
		delete(l.files, held)
		_ = closeCopies([]int{held}) // late: nobody waits for that
	}
}

// Empty reports whether there are none.
func (l *Leftovers) Empty() bool { return len(l.numbers) == 0 && len(l.files) == 0 && l.stage == 0 }

// Close forgets all.
func (l *Leftovers) Close() {
	_ = closeCopies(slices.Collect(maps.Keys(l.files))) // late: nobody waits for that
	l.files, l.numbers, l.stage = nil, nil, 0
}

// Remove has the tracee remove them, which shares what they are in. Precondition: who left
// them is dead.
func (l *Leftovers) Remove(i *ptrace.Injection) error {
	defer l.Close()
	return errors.Join(l.removeNumbers(i), l.removeStage(i), l.removeFiles(i))
}

func (l *Leftovers) removeNumbers(i *ptrace.Injection) error {
	for _, fd := range l.numbers {
		link, err := readLink(i.TID, "fd/"+strconv.Itoa(fd))
		if err != nil || !strings.HasPrefix(link, "socket:") {
			continue
		}
		if _, err := i.Call(unix.SYS_CLOSE, uintptr(fd)); err != nil {
			return err
		}
	}
	return nil
}

func (l *Leftovers) removeStage(i *ptrace.Injection) error {
	if l.stage == 0 {
		return nil
	}
	maps, err := readProc(i.TID, "maps")
	if err != nil || !bytes.Contains(append([]byte{'\n'}, maps...), fmt.Appendf(nil, "\n%08x-", l.stage)) {
		return err // C had left it
	}
	_, err = i.Call(unix.SYS_MUNMAP, uintptr(l.stage), scriptSize)
	return err
}

// removeFiles closes what is one of the open files, under whatever number: another
// thread may have closed C's, and have something else there.
func (l *Leftovers) removeFiles(i *ptrace.Injection) error {
	if len(l.files) == 0 {
		return nil
	}
	fds, err := listFDs(i.TID)
	if err != nil {
		return err
	}
	for _, fd := range fds {
		for held := range l.files {
			if same, err := kcmp.SameFile(i.TID, fd, os.Getpid(), held); err != nil || !same {
				continue
			}
			if _, err := i.Call(unix.SYS_CLOSE, uintptr(fd)); err != nil {
				return err
			}
		}
	}
	return nil
}
