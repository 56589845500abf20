// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/launch"
	"cloneat-emu/emu/listen"
)

// errUnknown marks a probe that could not be carried out.
var errUnknown = errors.New("could not be tried")

// unknown wraps why a probe could not be carried out.
func unknown(err error) error { return fmt.Errorf("%w: %w", errUnknown, err) }

// conclusive are the errors by which a kernel says no.
var conclusive = []error{
	unix.ENOSYS, unix.EPERM, unix.EACCES, unix.EINVAL, unix.ENOTTY, unix.EOPNOTSUPP, unix.EBUSY, unix.E2BIG, unix.ENOSPC, unix.EIO,
	fs.ErrNotExist, os.ErrPermission, errNo, listen.ErrAnswered, launch.ErrNoNamespaces,
}

// errNo is a no that no error number says.
var errNo = errors.New("no")

// judge tells a no from a probe that went wrong.
func judge(err error) Works {
	if errors.Is(err, errUnknown) {
		return Unknown
	}
	for _, no := range conclusive {
		if errors.Is(err, no) {
			return No
		}
	}
	return Unknown
}
