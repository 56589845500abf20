// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// patience bounds how often a call begins anew because something ended under
// it. What ends by chance does not end a hundred times; what never succeeds must
// not keep its caller for ever.
type patience struct {
	mu    sync.Mutex
	tries map[int]attempts // of threads whose last call begins anew
	kept  int              // how many there were when those of the dead were last dropped
}

// attempts are those of one thread's call. A number is another thread's after its end.
type attempts struct {
	n     int
	start uint64 // of the thread: clock ticks after boot
	// company is what the last one has met and the next one has to know before the caller is
	// stopped, since a worker takes all that it attaches to at once (locks): other processes that
	// share the caller's memory.
	company []int
}

const maxTries = 100

// judge turns one attempt too many into EOPNOTSUPP.
func (p *patience) judge(tid int, v verdict) verdict {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !v.again {
		delete(p.tries, tid)
		return v
	}
	if p.tries == nil {
		p.tries = map[int]attempts{}
	}
	a := attempts{n: p.of(tid).n + 1, start: startOf(tid), company: v.company}
	if a.n >= maxTries {
		delete(p.tries, tid)
		return fails(unix.EOPNOTSUPP, fmt.Sprintf("begun %d times in vain: %s", maxTries, v.cause))
	}
	p.tries[tid] = a
	p.forget()
	return v
}

// tried is how often the thread's call has begun anew.
func (p *patience) tried(tid int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.of(tid).n
}

// company is what the thread's last attempt has met.
func (p *patience) company(tid int) []int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.of(tid).company
}

// of are the thread's attempts. Precondition: mu is held.
func (p *patience) of(tid int) attempts {
	if a, ok := p.tries[tid]; ok && a.start == startOf(tid) {
		return a
	}
	return attempts{}
}

// forget drops threads that are gone, of which nobody hears, when there may be as many of them
// as of others. Precondition: mu is held.
func (p *patience) forget() {
	const few = 64
	if len(p.tries) < max(few, 2*p.kept) {
		return
	}
	for tid := range p.tries {
		if errors.Is(unix.Kill(tid, 0), unix.ESRCH) {
			delete(p.tries, tid)
		}
	}
	p.kept = len(p.tries)
}

// startOf is when the thread began; 0 if it is gone.
func startOf(tid int) uint64 {
	st, err := statOf(tid)
	if err != nil {
		return 0
	}
	return st.StartTime
}
