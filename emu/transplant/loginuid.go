// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// setLoginUID gives C the user that auditing holds to account for the caller, where the kernel
// lets it: nobody may write another's, and one that is set only by who has CAP_AUDIT_CONTROL
// (audit_set_loginuid_perm() in kernel/audit.c). A session of auditing begins with that.
func (b *build) setLoginUID() error {
	if !audits() {
		return nil
	}
	want, err := readProc(b.snap.caller.TID, "loginuid")
	if err != nil {
		return err
	}
	have, err := readProc(b.c.TID, "loginuid")
	if err != nil || bytes.Equal(want, have) {
		return err
	}
	file, err := b.ch.sendProc(b.c.TID, "loginuid", unix.O_WRONLY)
	if err != nil {
		return err
	}
	b.script.room(1, len(want))
	b.script.try("write of loginuid", unix.SYS_WRITE, uintptr(file), b.script.data(want), uintptr(len(want)))
	b.ch.drop(file)
	return nil
}

// audits reports whether this kernel has auditing.
var audits = sync.OnceValue(func() bool {
	_, err := os.Lstat("/proc/self/loginuid")
	return !errors.Is(err, fs.ErrNotExist)
})
