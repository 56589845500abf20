// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// limit is what bounds the waits of a call on a socket: its own timeout.
type limit struct {
	fd     int
	option int        // SO_RCVTIMEO or SO_SNDTIMEO, 0 for none
	late   unix.Errno // the error when its time is over
}

// limitOf finds the limit of the program's call r.
func (s *Stopped) limitOf(r Regs) limit {
	l := limit{fd: fdIn(r.Rdi), late: unix.EAGAIN}
	switch r.Orig_rax {
	case unix.SYS_READ, unix.SYS_READV, unix.SYS_RECVFROM, unix.SYS_RECVMSG, unix.SYS_RECVMMSG,
		unix.SYS_ACCEPT, unix.SYS_ACCEPT4:
		l.option = unix.SO_RCVTIMEO
	case unix.SYS_WRITE, unix.SYS_WRITEV, unix.SYS_SENDTO, unix.SYS_SENDMSG, unix.SYS_SENDMMSG, unix.SYS_SENDFILE:
		l.option = unix.SO_SNDTIMEO
	case unix.SYS_SPLICE:
		l.option = unix.SO_RCVTIMEO
		if !s.isSocket(l.fd) {
			l.fd, l.option = fdIn(r.Rdx), unix.SO_SNDTIMEO
		}
	case unix.SYS_CONNECT:
		l.option, l.late = unix.SO_SNDTIMEO, unix.EINPROGRESS
		if s.isUnix(l.fd) { // it waits for the room in a queue of this machine, and is not on its way
			l.late = unix.EAGAIN
		}
	}
	return l
}

// limitsEach reports whether the limit is for each of a call's parts, and not for all of it.
func limitsEach(nr uint64) bool {
	return nr == unix.SYS_SENDMMSG || nr == unix.SYS_RECVMMSG || nr == unix.SYS_SENDFILE || nr == unix.SYS_SPLICE
}

// isSocket reports whether the tracee's fd is one.
func (s *Stopped) isSocket(fd int) bool {
	st, err := s.statFD(fd)
	return err == nil && st.Mode&unix.S_IFMT == unix.S_IFSOCK
}

// statFD tells the kind and device of the tracee's file. The server of its file system is not
// asked: it may not answer (FUSE).
func (s *Stopped) statFD(fd int) (st unix.Stat_t, err error) {
	var x unix.Statx_t
	path := "/proc/" + strconv.Itoa(s.TID) + "/fd/" + strconv.Itoa(fd)
	err = unix.Statx(unix.AT_FDCWD, path, unix.AT_STATX_DONT_SYNC, unix.STATX_TYPE, &x)
	st.Mode, st.Rdev = uint32(x.Mode), unix.Mkdev(x.Rdev_major, x.Rdev_minor)
	return st, err
}

// socketTimeout reads the option of the tracee's socket fd; 0 for none.
func (s *Stopped) socketTimeout(fd, option int) (d time.Duration) {
	_ = s.withFile(fd, func(own int) error {
		tv, err := unix.GetsockoptTimeval(own, unix.SOL_SOCKET, option)
		if err == nil {
			d = time.Duration(tv.Nano())
		}
		return err
	})
	return d
}

// withFile calls do with a descriptor of ours for the tracee's fd.
func (s *Stopped) withFile(fd int, do func(own int) error) error {
	pidfd, err := unix.PidfdOpen(s.TID, unix.PIDFD_THREAD)
	if err != nil { // before Linux 6.9 only the leader has one, and must not have exited
		tgid, terr := tgidOf(s.TID)
		if terr != nil {
			return terr
		}
		pidfd, err = unix.PidfdOpen(tgid, 0)
	}
	if err != nil {
		return err
	}
	defer unix.Close(pidfd)
	own, err := unix.PidfdGetfd(pidfd, fd, 0)
	if err != nil {
		return err
	}
	defer unix.Close(own)
	return do(own)
}
