// SPDX-License-Identifier: Apache-2.0

package ptrace

import "sync"

// vdsoAt is where the tracee's vdso is. What is known of it, or of its parent, or of the
// number, is believed where this kernel's vdso lies: a child of ours may exec, or have its
// vdso moved.
func (s *Stopped) vdsoAt() (uint64, error) {
	v, err := ourVDSO()
	if err != nil {
		return 0, err
	}
	for _, at := range []uint64{s.vdso, lately.of(s.TID)} {
		if at == 0 {
			continue
		}
		if has, _ := s.hasVDSO(at, v); has {
			s.vdso = at
			return at, nil
		}
	}
	at, err := vdsoBase(s.TID)
	if err != nil {
		return 0, err
	}
	s.vdso = at
	lately.note(s.TID, at)
	return at, nil
}

// lately remembers where some threads had their vdso: whoever clones itself does it
// often, and the auxiliary vector is several times as far away as a look whether the vdso
// is still there.
var lately vdsos

type vdsos struct {
	mu sync.Mutex // guards the rest; nothing else is locked under it
	at [16]struct {
		tid  int
		base uint64
	}
}

func (v *vdsos) of(tid int) uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	if e := v.at[tid%len(v.at)]; e.tid == tid {
		return e.base
	}
	return 0
}

func (v *vdsos) note(tid int, base uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	e := &v.at[tid%len(v.at)]
	e.tid, e.base = tid, base
}
