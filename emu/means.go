// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/transplant"
)

// How many calls are served at a time, and how many of a caller's files pass through
// the operator's hands at once, goes by how many files it may have open: a call that
// ran out of them half way would have to be undone, and its caller told of a lack that
// is not its own.
type means struct {
	calls int // at a time
	files int // of the caller's, a call
}

const (
	// ownFiles are the operator's: listener, sockets, the runtime's, and some to spare.
	ownFiles = 24
	// callFiles are those of a call, without any of the caller's.
	callFiles = 32
	// fewFiles of the caller's at a time are as good as any number.
	fewFiles = 16
)

// meansOf divides up so many descriptors; it never comes to nothing.
func meansOf(limit uint64) means {
	free := max(int(min(limit, 1<<20))-ownFiles, callFiles+fewFiles)
	calls := min(maxWorkers, free/(callFiles+fewFiles))
	return means{calls: calls, files: min(transplant.MaxFiles, free/calls-callFiles)}
}

// total is what they take.
func (m means) total() uint64 { return uint64(ownFiles + m.calls*(callFiles+m.files)) }

// there reports whether the limit allows for them still: it can be lowered from outside.
func (m means) there() bool { return filesLimit() >= m.total() }

// filesLimit is this process's; the Go runtime has raised the soft limit to the hard one.
func filesLimit() uint64 {
	var l unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &l) != nil {
		return 0
	}
	return l.Cur
}

// enoughFiles refuses what would fail at the first call.
func enoughFiles() error {
	limit, least := filesLimit(), meansOf(0).total()
	if limit >= least {
		return nil
	}
	return fmt.Errorf("the limit of %d open files (RLIMIT_NOFILE) is too low to serve a call: it takes %d (ulimit -Hn)", limit, least)
}

// enoughStack refuses a limit below which a stage may end by SIGSEGV: the Go runtime takes it
// for granted that there is so much (rt0_go() in runtime/asm_amd64.s).
func enoughStack() error {
	const least = 64 << 10
	var l unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_STACK, &l) != nil || l.Cur >= least {
		return nil
	}
	return fmt.Errorf("the limit of %d kilobytes of stack (RLIMIT_STACK) is too low for the supervisor: it takes %d (ulimit -s)", l.Cur>>10, least>>10)
}

// enoughTasks refuses a limit below which some process of ours cannot begin: the Go runtime
// gives up where it can have no thread, with a page of its own. The superuser is bound by
// control groups alone.
func enoughTasks() error {
	// The operator's threads, see reserveThreads, and those of front, keeper and exec stage.
	least := 36 + 4*min(runtime.NumCPU(), mostProcs)
	var l unix.Rlimit
	if unix.Getuid() != 0 && unix.Getrlimit(unix.RLIMIT_NPROC, &l) == nil && l.Cur < uint64(least) {
		return fmt.Errorf("the limit of %d processes and threads (RLIMIT_NPROC) is too low for the supervisor: it takes %d, beside the user's others (ulimit -u)", l.Cur, least)
	}
	left, err := transplant.Room(unix.Getpid())
	if err != nil || left >= int64(least) {
		return nil
	}
	return fmt.Errorf("the limit on tasks of this control group (pids.max) leaves %d for the supervisor: it takes %d", max(left, 0), least)
}

// scarce reports whether err tells of a lack of the operator's own. ENFILE is the
// whole machine's.
func scarce(err error) bool {
	return errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE)
}
