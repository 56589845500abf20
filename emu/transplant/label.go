// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// setLabel gives C, which has the target's label, the caller's: a security module would
// take it for one of the target's kind. It does so itself, which its policy has to allow.
func (b *build) setLabel() error {
	if !labels() {
		return nil
	}
	want, err := label(b.snap.caller.TID)
	if err != nil {
		return err
	}
	have, err := label(b.c.TID)
	if err != nil || have == want {
		return err
	}
	if err := b.writeLabel(want); err != nil {
		return err
	}
	if now, err := label(b.c.TID); err != nil || now == want {
		return err
	}
	if !b.opt.BestEffort {
		return unsupported("the target has the security label %q, the caller %q, and may not change it", have, want)
	}
	b.leave("the child has the target's security label %q", have)
	return nil
}

// writeLabel lets C try to. Nobody may write another's (proc_pid_attr_write() in fs/proc/base.c).
func (b *build) writeLabel(text string) error {
	attr, err := b.ch.sendProc(b.c.TID, "attr/current", unix.O_WRONLY)
	if err != nil {
		return err
	}
	b.script.room(1, len(text))
	b.script.try("write of the security label", unix.SYS_WRITE, uintptr(attr), b.script.data([]byte(text)), uintptr(len(text)))
	b.ch.drop(attr)
	return b.script.run()
}

// labels reports whether a security module shows any: none comes after boot.
var labels = sync.OnceValue(func() bool {
	_, err := readProc(os.Getpid(), "attr/current")
	return err == nil
})

// label is what the security module that shows one calls the thread; empty
// without such a module, which is EINVAL (security_getprocattr()), and on a
// kernel without any.
func label(tid int) (string, error) {
	b, err := readProc(tid, "attr/current")
	if errors.Is(err, unix.EINVAL) || errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return strings.TrimRight(string(b), "\x00\n"), err
}
