// SPDX-License-Identifier: Apache-2.0

package check

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
)

// Each capability counts for what it is for, and for nothing else.
func TestCapabilitiesOneByOne(t *testing.T) {
	const (
		admin   = 1 << unix.CAP_SYS_ADMIN
		chroot  = 1 << unix.CAP_SYS_CHROOT
		restore = 1 << unix.CAP_CHECKPOINT_RESTORE
		all     = 1<<(unix.CAP_LAST_CAP+1) - 1
	)
	for _, tc := range []struct {
		caps uint64
		kind string
		hint int
		row  int
	}{
		{admin, "uts", 0, 0},
		{all &^ admin, "uts", 0, 13},
		{admin | chroot, "mnt", 0, 0},
		{all &^ chroot, "mnt", 0, 13},
		{all &^ admin, "mnt", 0, 13},
		{all &^ chroot, "uts", 0, 0},
		{restore, "plain", 500, 0},
		{admin, "plain", 500, 0},
		{all &^ (admin | restore), "plain", 500, 14},
		{0, "plain", 0, 0},
	} {
		a := newActor(t, 0)
		child := a.do("spawn %s", tc.kind)
		a.do("caps %x", tc.caps)
		errno := unix.EPERM
		if tc.row == 0 {
			errno = 0
		}
		name := fmt.Sprintf("%s, hint %d, with %x", tc.kind, tc.hint, tc.caps)
		want(t, name, a.PID(), order{pid: child, hint: tc.hint}, tc.row, errno)
	}
}

// Root of a user namespace is nobody outside it.
func TestCapabilitiesOfAnotherUserNamespace(t *testing.T) {
	a := newActor(t, 0)
	inside := a.do("spawn user caller")
	want(t, "hint in the first pid namespace", inside, order{pid: inside, hint: 500}, 14, unix.EPERM)
	want(t, "no hint", inside, order{pid: inside}, 0, 0)
}

func TestUnexpectedErrors(t *testing.T) {
	for _, tc := range []struct {
		err   error
		errno unix.Errno
	}{
		{&proc.GoneError{PID: 5, File: "x"}, unix.ESRCH},
		{fmt.Errorf("x: %w", &proc.GoneError{PID: 5, File: "x"}), unix.ESRCH},
		{&os.PathError{Op: "open", Path: "x", Err: unix.EACCES}, unix.EPERM},
		{fmt.Errorf("kcmp: %w", unix.EPERM), unix.EPERM},
		{errors.New("x"), unix.EOPNOTSUPP},
	} {
		c := &Call{}
		if got := c.unexpected(tc.err); got != tc.errno || c.Cause == "" {
			t.Errorf("%v: %v, cause %q, want %v", tc.err, got, c.Cause, tc.errno)
		}
	}
}
