package emu

import (
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// patience bounds how often a call begins anew because something ended under
// it. What ends by chance does not end a hundred times; what never succeeds must
// not keep its caller for ever.
type patience struct {
	mu    sync.Mutex
	tries map[int]int // of threads whose last call begins anew
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
		p.tries = map[int]int{}
	}
	if p.tries[tid]++; p.tries[tid] < maxTries {
		return v
	}
	delete(p.tries, tid)
	return fails(unix.EOPNOTSUPP, fmt.Sprintf("begun %d times in vain: %s", maxTries, v.cause))
}

// tried is how often the thread's call has begun anew.
func (p *patience) tried(tid int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tries[tid]
}
