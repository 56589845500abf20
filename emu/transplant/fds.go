// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"sync"

	"cloneat-emu/ptrace"

	"golang.org/x/sys/unix"
)

// descriptor is one of the caller's open files.
type descriptor struct {
	fd      int
	cloexec bool
}

// listFDs returns thread tid's open descriptors in ascending order.
func listFDs(tid int) ([]int, error) {
	dir, err := openProc(tid, "fd", unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return nil, err
	}
	defer unix.Close(dir)
	var fds []int
	buf := make([]byte, 32<<10)
	for {
		n, err := ignoringEINTR(func() (int, error) { return unix.ReadDirent(dir, buf) })
		if err != nil {
			return nil, procError(tid, "fd", err)
		}
		if n == 0 {
			slices.Sort(fds)
			return fds, nil
		}
		_, _, names := unix.ParseDirent(buf[:n], -1, nil)
		for _, name := range names {
			if fd, err := strconv.Atoi(name); err == nil {
				fds = append(fds, fd)
			}
		}
	}
}

// queryFDs queues the question for each descriptor's flags; found has the answers
// after the next run. One that another process closed meanwhile is left out.
func queryFDs(s *script, fds []int) (found func() []descriptor) {
	flags := make([]ptrace.Result, len(fds))
	for i, fd := range fds {
		s.ask(&flags[i], "fcntl(F_GETFD)", unix.SYS_FCNTL, uintptr(fd), unix.F_GETFD, 0)
	}
	return func() []descriptor {
		all := make([]descriptor, 0, len(fds))
		for i, r := range flags {
			if r.Errno == 0 {
				all = append(all, descriptor{fds[i], r.Value&unix.FD_CLOEXEC != 0})
			}
		}
		return all
	}
}

// ClosesRanges reports whether a child can leave a table of descriptors at once, without
// having held one of them (close_range(2), Linux 5.9; a filter around this process may forbid
// it).
var ClosesRanges = sync.OnceValue(func() bool {
	const none = math.MaxUint32
	return unix.CloseRange(none, none, 0) == nil
})

// closeFDs closes whatever C got from the target. A file that the target closes meanwhile is
// locked, busy or in use.
func (b *build) closeFDs() {
	b.emptied = true
	if !b.opt.NoFiles {
		b.script.ask(&b.closed, "close_range", unix.SYS_CLOSE_RANGE, 0, math.MaxUint32, 0)
	}
}

// closeEach does it where close_range(2) cannot.
func (b *build) closeEach() error {
	fds, err := listFDs(b.tid)
	if err != nil {
		return err
	}
	for _, fd := range fds {
		b.script.try("close", unix.SYS_CLOSE, uintptr(fd))
	}
	return b.script.run()
}

// channelPlace is a number for C's end of the channel that the caller does not
// use: above all of its descriptors, or if the limit is in the way, between them.
func (b *build) channelPlace() (int, error) {
	all := b.snap.fds
	if len(all) == 0 {
		return 0, nil
	}
	place := all[len(all)-1].fd + 1
	for i := len(all) - 1; uint64(place) >= b.limits[unix.RLIMIT_NOFILE].Cur; i-- {
		if i < 0 {
			return 0, fmt.Errorf("no descriptor left for the work: %w", unix.EMFILE)
		}
		if place = all[i].fd - 1; place < 0 || i > 0 && all[i-1].fd == place {
			place = math.MaxInt
		}
	}
	return place, nil
}

// setFDs gives C the caller's descriptors at their numbers. The kernel hands
// out the lowest free number, and C's end of the channel sits on one that the
// caller does not use: so each descriptor arrives at its own number or below.
func (b *build) setFDs() error {
	if b.opt.ShareFiles {
		b.ch.close()
		return nil
	}
	all := b.snap.fds
	place, err := b.channelPlace()
	if err != nil {
		return err
	}
	if b.ch.far != place {
		b.ch.moveTo(place)
	}
	if err := b.borrowFDs(all); err != nil {
		return err
	}
	b.stats.FDs = len(all)
	b.ch.close()
	return nil
}

// borrowFDs takes them from the caller.
func (b *build) borrowFDs(all []descriptor) (err error) {
	from, err := b.snap.lend()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.close()) }()
	for chunk := range slices.Chunk(all, b.opt.files()) {
		if err := b.placeFDs(from.pidfd, chunk); err != nil {
			return err
		}
	}
	return nil
}

// placeFDs brings one chunk into C. The descriptors are moved from the highest
// down: a number that one of them sits on and another one wants belongs to one
// that was moved before.
func (b *build) placeFDs(from int, chunk []descriptor) error {
	chunk, there, err := b.sendCallerFDs(from, chunk)
	if err != nil {
		return err
	}
	for i := len(chunk) - 1; i >= 0; i-- {
		d, at := chunk[i], there[i]
		b.ch.holds(d.fd)
		switch {
		case at != d.fd:
			flags := 0
			if d.cloexec {
				flags = unix.O_CLOEXEC
			}
			b.script.expect(uintptr(d.fd), "dup3", uint64(d.fd), unix.SYS_DUP3, uintptr(at), uintptr(d.fd), uintptr(flags))
			b.ch.drop(at)
		case !d.cloexec:
			b.script.add("fcntl(F_SETFD)", uint64(d.fd), unix.SYS_FCNTL, uintptr(d.fd), unix.F_SETFD, 0)
		}
	}
	return nil
}

// sendCallerFDs copies descriptors from the caller, sends them and drops the
// copies. What another process, which shares the caller's table, has closed meanwhile is
// not among those that it returns.
func (b *build) sendCallerFDs(from int, chunk []descriptor) (sent []descriptor, there []int, err error) {
	fds := make([]int, 0, len(chunk))
	defer func() { err = errors.Join(err, closeCopies(fds)) }()
	for _, d := range chunk {
		fd, err := unix.PidfdGetfd(from, d.fd, 0)
		if errors.Is(err, unix.EBADF) {
			continue
		}
		if err != nil {
			return nil, nil, fmt.Errorf("pidfd_getfd of the caller's descriptor %d: %w", d.fd, err)
		}
		fds, sent = append(fds, fd), append(sent, d)
	}
	if len(fds) == 0 {
		return nil, nil, nil
	}
	there, err = b.ch.send(fds)
	if errors.Is(err, unix.EINVAL) {
		there, err = b.fetchFDs(from, sent)
	}
	return sent, there, err
}

// fetchFDs makes C take the descriptors itself: an io_uring's cannot be sent
// (kernel: __scm_send), but pidfd_getfd(2) gives it, to a C that may trace the
// caller.
func (b *build) fetchFDs(from int, chunk []descriptor) ([]int, error) {
	pidfd, err := b.ch.send([]int{from})
	if err != nil {
		return nil, err
	}
	// The pidfd must not sit where a descriptor is to go: it moves above them, no
	// further than need be, since a table of descriptors never shrinks.
	high := chunk[len(chunk)-1].fd + 1
	if high == b.ch.far {
		high++
	}
	b.script.expect(uintptr(high), "dup3", uint64(high), unix.SYS_DUP3, uintptr(pidfd[0]), uintptr(high), unix.O_CLOEXEC)
	b.ch.drop(pidfd[0])
	got := make([]ptrace.Result, len(chunk))
	for i, d := range chunk {
		b.script.ask(&got[i], "pidfd_getfd", unix.SYS_PIDFD_GETFD, uintptr(high), uintptr(d.fd), 0)
	}
	b.script.add("close", uint64(high), unix.SYS_CLOSE, uintptr(high))
	if err := b.script.run(); err != nil {
		return nil, err
	}
	there := make([]int, len(chunk))
	for i, r := range got {
		if r.Errno != 0 {
			return nil, unsupported("descriptor %d of the caller cannot be passed on (an io_uring's?): %v", chunk[i].fd, r.Errno)
		}
		there[i] = int(r.Value)
	}
	return there, nil
}
