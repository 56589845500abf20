// SPDX-License-Identifier: Apache-2.0

package enter

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
)

// errUnknownStatus says that the command ended and nobody can tell how.
var errUnknownStatus = errors.New("the command's exit status is not known: its parent has reaped it, " +
	"and this kernel keeps none for others (PIDFD_GET_INFO, Linux 6.15)")

// await waits for the end of a process that is not our child, and tells its
// wait status. Who reaps it does not matter where the kernel keeps the status
// for pidfds (6.15) or where we are its tracer (see [watch]). Else it is read while
// the process is a zombie, which an init may be quicker than: then the error is
// errUnknownStatus.
func await(b *born) (unix.WaitStatus, error) {
	if b.ended != nil {
		if e := <-b.ended; e.err == nil {
			return e.ws, nil
		}
	}
	for {
		_, err := unix.Poll([]unix.PollFd{{Fd: int32(b.pidfd.Fd()), Events: unix.POLLIN}}, -1)
		if err == nil {
			break
		}
		if err != unix.EINTR {
			return 0, fmt.Errorf("poll(pidfd): %w", err)
		}
	}
	return status(b.pidfd, b.dir)
}

// status tells how a process that has exited did so. The kernel has it for
// pidfds from the moment on at which the process is reaped, and /proc until then:
// so ask for the one, the other, and the first again, if it was reaped meanwhile.
func status(pidfd *os.File, dir *proc.Dir) (unix.WaitStatus, error) {
	if ws, ok := kept(pidfd); ok {
		return ws, nil
	}
	st, err := dir.Stat()
	if err == nil {
		return unix.WaitStatus(st.ExitCode), nil
	}
	if !proc.Gone(err) {
		return 0, err
	}
	if ws, ok := kept(pidfd); ok {
		return ws, nil
	}
	return 0, errUnknownStatus
}

// kept is the status that the kernel keeps for pidfds: of a process that was
// reaped, where it keeps any at all.
func kept(pidfd *os.File) (unix.WaitStatus, bool) {
	info := unix.PidfdInfo{Mask: unix.PIDFD_INFO_EXIT}
	err := unix.IoctlPidfdInfo(int(pidfd.Fd()), &info)
	return unix.WaitStatus(info.Exit_code), err == nil && info.Mask&unix.PIDFD_INFO_EXIT != 0
}

// keepsStatus reports whether this kernel keeps the status of who was reaped,
// judged by one that was. Tests put an older kernel's answer here.
var keepsStatus = func(reaped *os.File) bool {
	_, keeps := kept(reaped)
	return keeps
}

// shellStatus is the status that a shell has for a command that ended so.
func shellStatus(ws unix.WaitStatus) int {
	if ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return ws.ExitStatus()
}
