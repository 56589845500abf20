// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"fmt"
	"math/rand"
	"os"
	"strings"
	"testing"
)

// history makes up a tree that came about by fork, setsid and setpgid, under the
// kernel's rules for them, and with setsid before the first fork: so that all of it
// can be had, by clone3(2) as well.
func history(seed int64, processes int) *Tree {
	r := rand.New(rand.NewSource(seed))
	list := []*Process{{PID: 1, PGID: 1, SID: 1, State: "S", Comm: "p1"}}
	forked := map[int]bool{}
	for len(list) < processes {
		p := list[r.Intn(len(list))]
		switch r.Intn(5) {
		case 0: // setsid: EPERM for a group's leader
			if p.PGID != p.PID && !forked[p.PID] {
				p.SID, p.PGID = p.PID, p.PID
			}
		case 1: // setpgid(0, 0): EPERM for a session's leader
			if p.SID != p.PID {
				p.PGID = p.PID
			}
		case 2: // joins a group of its session; a leader would leave its own behind
			if q := list[r.Intn(len(list))]; p.PGID != p.PID && q.SID == p.SID {
				p.PGID = q.PGID
			}
		default:
			pid := len(list) + 1
			forked[p.PID] = true
			list = append(list, &Process{PID: pid, PPID: p.PID, PGID: p.PGID, SID: p.SID, State: "S", Comm: fmt.Sprint("p", pid%7)})
		}
	}
	return &Tree{Version: Version, Processes: list}
}

// TestBuildHistories: many sessions and groups, so that who has to wait for whom
// matters in every phase.
func TestBuildHistories(t *testing.T) {
	seeds := int64(6)
	if os.Getenv(underCall) != "" {
		seeds = 1
	}
	for seed := range seeds {
		want := history(seed, 50)
		if err := want.Check(); err != nil {
			t.Fatal(err)
		}
		b, err := Build(want, options("new"))
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, want.Text())
		}
		if len(b.Notes) > 0 {
			t.Errorf("seed %d could not be had: %s\nwanted:\n%smade:\n%s",
				seed, strings.Join(b.Notes, "\n"), want.Text(), b.Tree.Text())
		}
		for i, p := range b.Tree.Processes {
			if g := want.ByPID()[p.PID]; g == nil || g.Comm != p.Comm {
				t.Errorf("seed %d, process %d of the tree: %+v, want %+v", seed, i, p, g)
			}
		}
		b.Close()
	}
}
