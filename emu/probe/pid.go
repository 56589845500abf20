// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

const lastPid = "/proc/sys/kernel/ns_last_pid"

func pidProbes() []probe {
	return []probe{
		{"clone3", "exact pids, time namespaces", "clone, and ns_last_pid", tryClone3},
		{"clone3 set_tid", "exact pids", "ns_last_pid, verify and retry", trySetTID},
		{"ns_last_pid", "exact pids without set_tid", "a hint fails with EOPNOTSUPP", tryLastPid},
		{"pidfd_open", "never to hit a pid that was reused", "nothing", func() (string, error) {
			fd, err := unix.PidfdOpen(os.Getpid(), 0)
			if err != nil {
				return "", fmt.Errorf("pidfd_open: %w", err)
			}
			return "", unix.Close(fd)
		}},
		{"pidfd_getfd", "the kernel's own judgement of access to a target", "process_vm_readv", tryGetfd},
		{"kcmp", "what caller and target share", "the sharing flags fail with EOPNOTSUPP for other targets", func() (string, error) {
			const files = 2 // KCMP_FILES
			pid := uintptr(os.Getpid())
			if _, _, errno := unix.Syscall6(unix.SYS_KCMP, pid, pid, files, 0, 0, 0); errno != 0 {
				return "", fmt.Errorf("kcmp: %w", errno)
			}
			return "", nil
		}},
	}
}

// tryClone3 asks with a size that every kernel refuses (EINVAL) that has the call.
func tryClone3() (string, error) {
	_, _, errno := unix.Syscall(unix.SYS_CLONE3, 0, 0, 0)
	if errno == unix.EINVAL {
		return "", nil
	}
	return "", fmt.Errorf("clone3: %w", errno)
}

// trySetTID asks for pid 1, which is taken: EEXIST comes behind every other check.
func trySetTID() (string, error) {
	err := cloneSetTID(1)
	if errors.Is(err, unix.EEXIST) {
		return "", nil
	}
	if errors.Is(err, unix.EPERM) {
		err = fmt.Errorf("%w: CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN is missing", err)
	}
	return "", err
}

// tryLastPid writes what is no number of a process, which is refused behind the check
// of the rights (pid_ns_ctl_handler()) and moves nothing: what was read before could
// be behind the cursor by now.
func tryLastPid() (string, error) {
	f, err := os.OpenFile(lastPid, os.O_WRONLY, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	_, err = f.WriteString("-1")
	if errors.Is(err, unix.EINVAL) {
		err = nil
	}
	return "", err
}

func tryGetfd() (string, error) {
	pidfd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		return "", unknown(err)
	}
	defer unix.Close(pidfd)
	fd, err := unix.PidfdGetfd(pidfd, pidfd, 0)
	if err != nil {
		return "", fmt.Errorf("pidfd_getfd: %w", err)
	}
	return "", unix.Close(fd)
}
