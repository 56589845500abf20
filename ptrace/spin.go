// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"sync/atomic"
	"time"
)

// spin decides whether a wait looks for a while before it sleeps. Most stops that
// are waited for come within some tens of microseconds, less than it takes to go to
// sleep and be woken on another processor: on a quiet machine, to look is faster. On
// a busy one the tracee may be waiting for the very processor that looks. So each wait
// in vain makes the next ones sleep at once, twice as many every time.
type spin struct {
	vain atomic.Int32 // waits in a row that looked in vain, up to mostVain
	skip atomic.Int32 // waits that are to sleep at once
}

// spinning is how long a wait looks. Not longer: what it waits for may be long.
const spinning = 60 * time.Microsecond

// mostVain bounds the waits without a look to 1 << mostVain: then the machine may be
// quiet again.
const mostVain = 10

// waits are those of all threads: the machine is busy for one as for another.
var waits spin

// worthwhile reports whether the next wait will look.
func (s *spin) worthwhile() bool { return s.skip.Load() <= 0 }

// try looks until done, as long as is of use, and reports whether it is done.
func (s *spin) try(look func() bool) bool {
	if s.skip.Load() > 0 {
		s.skip.Add(-1)
		return false
	}
	for end := time.Now().Add(spinning); ; {
		switch {
		case look():
			s.vain.Store(0)
			return true
		case time.Now().After(end):
			n := min(s.vain.Load()+1, mostVain)
			s.vain.Store(n)
			s.skip.Store(1 << n)
			return false
		}
		yield()
	}
}
