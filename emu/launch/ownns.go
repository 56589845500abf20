// SPDX-License-Identifier: Apache-2.0

package launch

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// ErrNoNamespaces: who has no privilege cannot have namespaces of its own here.
var ErrNoNamespaces = errors.New("no user namespace for --userns")

// OwnNamespaces make a process root in namespaces of its own: user, pid and mount.
func OwnNamespaces() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
	}
}

// MountProc makes /proc show the new pid namespace, there only.
func MountProc() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("mount(/, MS_PRIVATE): %w", err)
	}
	flags := uintptr(unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC)
	if err := unix.Mount("proc", "/proc", "proc", flags, ""); err != nil {
		return fmt.Errorf("mounting /proc of the new pid namespace: %w", err)
	}
	return nil
}

// TryNamespaces makes them, and goes as far as a program is run: that they can be made does not
// say that anything is allowed in them. It is ErrNoNamespaces that says why not, and what to do.
//
// Precondition: this executable plays stages (Run).
func TryNamespaces() error {
	said, says, err := os.Pipe()
	if err != nil {
		return err
	}
	defer said.Close()
	attr := &syscall.ProcAttr{Files: []uintptr{^uintptr(0), says.Fd(), ^uintptr(0)}, Env: stageEnv(), Sys: OwnNamespaces()}
	pid, err := syscall.ForkExec("/proc/self/exe", []string{stageTry, ""}, attr)
	says.Close()
	if err != nil {
		return fmt.Errorf("%w: clone(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS): %w: %s", ErrNoNamespaces, err, whyNone(err))
	}
	text, err := io.ReadAll(said)
	for wait := error(unix.EINTR); errors.Is(wait, unix.EINTR); {
		_, wait = unix.Wait4(pid, nil, 0, nil)
	}
	if err == nil && len(text) > 0 {
		err = fmt.Errorf("%w: %s: %s", ErrNoNamespaces, text, whyPowerless())
	}
	return err
}

// tryStage is the main function of the first process in there.
func tryStage() {
	if err := MountProc(); err != nil {
		fmt.Print(err)
		os.Exit(1)
	}
	os.Exit(0)
}

// whyNone explains the error of a clone.
func whyNone(err error) string {
	switch {
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EUSERS):
		return "there are as many as may be (sysctl user.max_user_namespaces, user.max_pid_namespaces, user.max_mnt_namespaces), or too many in one another"
	case errors.Is(err, unix.EINVAL):
		return "this kernel has none (CONFIG_USER_NS)"
	case knob("kernel/unprivileged_userns_clone") == "0":
		return "the sysctl kernel.unprivileged_userns_clone is 0"
	}
	return "a container's seccomp filter, a security module or chroot(2) forbids it; as root --userns is not needed"
}

// whyPowerless explains why what root may do fails in there.
func whyPowerless() string {
	if knob("kernel/apparmor_restrict_unprivileged_userns") == "1" {
		return "AppArmor gives programs without a profile no rights in user namespaces (sysctl kernel.apparmor_restrict_unprivileged_userns)"
	}
	return "the kernel allows that to nobody for whom parts of /proc are covered, as in a container"
}

// knob reads a sysctl, "" if there is none.
func knob(name string) string {
	b, err := os.ReadFile("/proc/sys/" + name)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}
