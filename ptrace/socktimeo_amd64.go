package ptrace

import (
	"time"

	"golang.org/x/sys/unix"
)

// socketTimeout is the option that limits call nr on a socket, 0 if none does,
// and the error when its time is over.
func socketTimeout(nr uint64) (option int, late unix.Errno) {
	switch nr {
	case unix.SYS_READ, unix.SYS_READV, unix.SYS_RECVFROM, unix.SYS_RECVMSG, unix.SYS_RECVMMSG,
		unix.SYS_ACCEPT, unix.SYS_ACCEPT4:
		return unix.SO_RCVTIMEO, unix.EAGAIN
	case unix.SYS_WRITE, unix.SYS_WRITEV, unix.SYS_SENDTO, unix.SYS_SENDMSG, unix.SYS_SENDMMSG:
		return unix.SO_SNDTIMEO, unix.EAGAIN
	case unix.SYS_CONNECT:
		return unix.SO_SNDTIMEO, unix.EINPROGRESS
	}
	return 0, 0
}

// socketTimeout reads the option of the tracee's socket fd; 0 for none.
func (s *Stopped) socketTimeout(fd, option int) (d time.Duration) {
	_ = s.withSocket(fd, func(own int) error {
		tv, err := unix.GetsockoptTimeval(own, unix.SOL_SOCKET, option)
		if err == nil {
			d = time.Duration(tv.Nano())
		}
		return err
	})
	return d
}

// withSocket calls do with a descriptor of ours for the tracee's fd.
func (s *Stopped) withSocket(fd int, do func(own int) error) error {
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
