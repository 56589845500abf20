// SPDX-License-Identifier: Apache-2.0

package enter

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
)

// kindFlags are the namespaces that are joined by setns(2) after the birth.
// The one of pids decides the birth itself, the one of users is a matter of
// [Options].
var kindFlags = map[proc.Kind]uintptr{
	proc.UTS: unix.CLONE_NEWUTS, proc.IPC: unix.CLONE_NEWIPC, proc.Mnt: unix.CLONE_NEWNS,
	proc.Net: unix.CLONE_NEWNET, proc.Cgroup: unix.CLONE_NEWCGROUP, proc.Time: unix.CLONE_NEWTIME,
}

// Target is a process in a container, held open: a number that is used again
// later does not become somebody else.
type Target struct {
	PID   int
	dir   *proc.Dir
	pidfd *os.File
	root  *os.File // O_PATH
	cwd   *os.File // O_PATH
	pidns proc.NSID
	// differ are the CLONE_NEW* flags of the namespaces that are not ours.
	differ uintptr
	// rootIsOurs tells that the target has the root directory that we have.
	rootIsOurs bool
	// users tells that the user namespace is not ours.
	users bool
}

// Open opens a target by its pid.
func Open(pid int) (*Target, error) {
	t := &Target{PID: pid}
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil, fmt.Errorf("target %d: pidfd_open: %w", pid, err)
	}
	t.pidfd = os.NewFile(uintptr(fd), "pidfd")
	if err := t.open(); err != nil {
		_ = t.Close()
		return nil, fmt.Errorf("target %d: %w", pid, err)
	}
	if err := unix.PidfdSendSignal(fd, 0, nil, 0); err != nil {
		_ = t.Close()
		return nil, fmt.Errorf("target %d: %w", pid, err)
	}
	return t, nil
}

// open opens what belongs to the target.
func (t *Target) open() error {
	err := proc.Own()
	if err != nil {
		return err
	}
	if t.dir, err = proc.Open(t.PID); err != nil {
		return err
	}
	if t.root, err = t.dir.Open("root", unix.O_PATH|unix.O_DIRECTORY); err != nil {
		return err
	}
	if t.cwd, err = t.dir.Open("cwd", unix.O_PATH|unix.O_DIRECTORY); err != nil {
		return err
	}
	return t.compare()
}

// compare notes which namespaces are not ours.
func (t *Target) compare() error {
	us, err := proc.Open(os.Getpid())
	if err != nil {
		return err
	}
	defer func() { _ = us.Close() }()
	if t.pidns, err = t.dir.NS(proc.PID); err != nil {
		return err
	}
	for kind, flag := range kindFlags {
		if differ, err := differ(t.dir, us, kind); err != nil {
			return err
		} else if differ {
			t.differ |= flag
		}
	}
	if t.users, err = differ(t.dir, us, proc.User); err != nil {
		return err
	}
	t.rootIsOurs, err = t.sameRoot()
	return err
}

// sameRoot reports whether the target's root is ours.
func (t *Target) sameRoot() (bool, error) {
	var ours, theirs unix.Stat_t
	if err := unix.Stat("/", &ours); err != nil {
		return false, err
	}
	if err := unix.Fstat(int(t.root.Fd()), &theirs); err != nil {
		return false, err
	}
	return ours.Dev == theirs.Dev && ours.Ino == theirs.Ino, nil
}

// differ compares a namespace of two processes; a kind that the kernel does not
// have is the same for all.
func differ(a, b *proc.Dir, kind proc.Kind) (bool, error) {
	x, err := a.NS(kind)
	if errors.Is(err, os.ErrNotExist) && !proc.Gone(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	y, err := b.NS(kind)
	return x != y, err
}

// Close gives everything back.
func (t *Target) Close() error {
	var errs []error
	for _, f := range []*os.File{t.pidfd, t.root, t.cwd} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	if t.dir != nil {
		errs = append(errs, t.dir.Close())
	}
	return errors.Join(errs...)
}
