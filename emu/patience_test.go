package emu

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"
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
