// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/transplant"
)

func TestPatienceEnds(t *testing.T) {
	var p patience
	again := verdict{again: true, cause: "the tracee is gone"}
	for i := 1; i < maxTries; i++ {
		if v := p.judge(7, again); !v.again {
			t.Fatalf("attempt %d: %+v, want another one", i, v)
		}
		if v := p.judge(8, again); !v.again {
			t.Fatalf("attempt %d of another thread: %+v, want another one", i, v)
		}
		p.judge(8, verdict{value: 1}) // it succeeds, and starts from nothing
	}
	v := p.judge(7, again)
	if v.again || v.errno != unix.EOPNOTSUPP || !strings.Contains(v.cause, again.cause) {
		t.Errorf("the last attempt: %+v, want EOPNOTSUPP and the cause", v)
	}
	if v := p.judge(7, again); !v.again {
		t.Errorf("the next call: %+v, want another attempt", v)
	}
}

// TestPatienceForgets: callers that were killed before they called again, of which nobody tells.
func TestPatienceForgets(t *testing.T) {
	var p patience
	again := verdict{again: true}
	const noThread = 1 << 30 // above every pid_max
	self := unix.Gettid()
	p.judge(self, again)
	for i := range 10000 {
		p.judge(noThread+i, again)
	}
	if n := len(p.tries); n > 1000 {
		t.Errorf("%d callers are remembered", n)
	}
	if n := p.tried(self); n != 1 {
		t.Errorf("a live one has tried %d times, want 1", n)
	}
}

// TestPatienceCompany: the next attempt knows whom the last one has met; another thread that has
// the number of one that was killed meanwhile does not, nor does another call.
func TestPatienceCompany(t *testing.T) {
	var p patience
	self := unix.Gettid()
	p.judge(self, verdictOf(fmt.Errorf("met: %w", &transplant.Company{Processes: []int{5, 6}})))
	if got := p.company(self); !slices.Equal(got, []int{5, 6}) {
		t.Errorf("the next attempt has the company %v, want 5 and 6", got)
	}
	a := p.tries[self]
	a.start--
	p.tries[self] = a
	if got := p.company(self); got != nil {
		t.Errorf("another thread has the company %v", got)
	}
	p.judge(self, verdict{value: 1})
	if got := p.company(self); got != nil {
		t.Errorf("the next call has the company %v", got)
	}
}

// TestPatienceOfAnother: a thread that has the number of one that is gone starts from nothing.
func TestPatienceOfAnother(t *testing.T) {
	p := patience{tries: map[int]attempts{unix.Getpid(): {n: maxTries - 1, start: 1}}}
	if n := p.tried(unix.Getpid()); n != 0 {
		t.Errorf("it has tried %d times, want none", n)
	}
	if v := p.judge(unix.Getpid(), verdict{again: true}); !v.again {
		t.Errorf("%+v, want another attempt", v)
	}
}
