package transplant

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// checkLabel refuses a child that a security module would take for one of the
// target's kind: C has the target's label, and policies let few processes change
// theirs.
func (b *build) checkLabel() error {
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
	if !b.opt.BestEffort {
		return unsupported("the target has the security label %q, the caller %q", have, want)
	}
	b.leave("the child has the target's security label %q", have)
	return nil
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
