// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"bytes"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"cloneat-emu/ptrace"
)

// Protection keys (pkeys(7)): fork(2) hands down which ones are allocated, the key of
// each mapping, and the one that the kernel keeps for memory that is only executable.

// maxKeys is how many there are, 0 included, which is everybody's.
const maxKeys = 16

// keySet has bit N for key N.
type keySet uint16

func (k keySet) has(key int) bool { return k>>key&1 != 0 }

// protectionKeys reports whether this machine has them: only then smaps tells each
// mapping's.
var protectionKeys = sync.OnceValue(func() bool {
	b, err := readProc(os.Getpid(), "smaps")
	return err == nil && bytes.Contains(b, []byte("\nProtectionKey:"))
})

// askKeys queues the question which keys are allocated. Nothing is told of that, but
// pkey_mprotect(2) of an address that no process has says EINVAL for a key that is
// not, and ENOMEM for one that is (mm/mprotect.c, do_mprotect_pkey()).
func askKeys(s *script, found *[maxKeys]ptrace.Result) {
	const nowhere, page = 1 << 55, 4096
	for key := 1; key < maxKeys && protectionKeys(); key++ {
		s.ask(&found[key], "pkey_mprotect", unix.SYS_PKEY_MPROTECT, nowhere, page, unix.PROT_NONE, uintptr(key))
	}
}

// allocated is what askKeys found.
func (a *answers) allocated() (keys keySet) {
	for key, r := range a.keys {
		if r.Errno == unix.ENOMEM {
			keys |= 1 << key
		}
	}
	return keys
}

// onlyExecutes reports whether m has the key that the kernel chose for it.
func (b *build) onlyExecutes(m *mapping) bool {
	return m.pkey != 0 && m.prot == unix.PROT_EXEC && !b.snap.own.allocated().has(m.pkey)
}

// openKeys allocates every key in C, so that mappings can be given any of them, but
// the one that the caller's kernel took for memory that is only executable: for C's
// it takes the one that is free.
func (b *build) openKeys() error {
	want, have := b.snap.own.allocated(), b.own.allocated()
	used, executes := want, 0
	for i := range b.snap.maps {
		if m := &b.snap.maps[i]; b.onlyExecutes(m) {
			executes = m.pkey
		} else if m.pkey != 0 {
			used |= 1 << m.pkey
		}
	}
	if used == have && want == have && executes == 0 {
		return nil
	}
	var got [maxKeys]ptrace.Result
	for i := 1; i < maxKeys; i++ {
		b.script.ask(&got[i], "pkey_alloc", unix.SYS_PKEY_ALLOC, 0, 0)
	}
	if err := b.script.run(); err != nil {
		return err
	}
	b.taken = have
	for _, r := range got[1:] {
		if r.Errno == 0 {
			b.taken |= 1 << r.Value
		}
	}
	if b.taken.has(executes) {
		b.freeKey(executes)
	}
	return nil
}

// closeKeys leaves C those that the caller has.
func (b *build) closeKeys() error {
	for key := 1; key < maxKeys; key++ {
		if b.taken.has(key) && !b.snap.own.allocated().has(key) {
			b.freeKey(key)
		}
	}
	return nil
}

func (b *build) freeKey(key int) {
	b.script.add("pkey_free", uint64(key), unix.SYS_PKEY_FREE, uintptr(key))
	b.taken &^= 1 << key
}
