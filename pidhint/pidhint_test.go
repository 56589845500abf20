// SPDX-License-Identifier: Apache-2.0

package pidhint

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"cloneat-emu/internal/reexec"
)

var both = []Driver{SetTID{}, LastPID{}}

// forBoth runs a test for each driver in a namespace of its own.
func forBoth(t *testing.T, test func(t *testing.T, d Driver, p *place)) {
	for _, d := range both {
		t.Run(d.Name(), func(t *testing.T) { test(t, d, newPlace(t)) })
	}
}

// under asks the driver for one number.
func (m *maker) under(d Driver, ns Namespace, want int) error {
	m.want = want
	return d.Make(ns, want, m)
}

// expect asks for a number that must be had, checks it and drops the child.
func (m *maker) expect(t *testing.T, d Driver, ns Namespace, want int) {
	t.Helper()
	if err := m.under(d, ns, want); err != nil {
		t.Fatalf("pid %d: %v", want, err)
	}
	if m.number != want {
		t.Fatalf("asked for %d, got %d", want, m.number)
	}
	if err := m.Drop(); err != nil {
		t.Fatal(err)
	}
}

// TestExact: numbers up, down, again, small and large, and the very next one,
// which the driver's own visitor gets first.
func TestExact(t *testing.T) {
	forBoth(t, func(t *testing.T, d Driver, p *place) {
		traced(t, p.PID(), func(m *maker) {
			last := m.next(t)
			for _, want := range []int{last + 1, 500, 501, 502, 499, 499, 299, 300, 32000, 100} {
				m.expect(t, d, p.ns, want)
			}
			if m.made != m.dropped {
				t.Errorf("%d children made, %d dropped", m.made, m.dropped)
			}
		})
	})
}

// TestTaken: whatever holds a number, EEXIST and no child; no more once it is free.
func TestTaken(t *testing.T) {
	for _, what := range []string{"process", "zombie", "group", "session"} {
		t.Run(what, func(t *testing.T) {
			forBoth(t, func(t *testing.T, d Driver, p *place) { expectTaken(t, d, p, p.ask(what)) })
		})
	}
	t.Run("init", func(t *testing.T) {
		forBoth(t, func(t *testing.T, d Driver, p *place) { expectTaken(t, d, p, 1) })
	})
	t.Run("thread", func(t *testing.T) {
		forBoth(t, func(t *testing.T, d Driver, p *place) { expectTaken(t, d, p, aThread(t, p.PID())) })
	})
}

// aThread is the number of a thread that is no leader.
func aThread(t *testing.T, pid int) int {
	t.Helper()
	for _, tid := range threadsOf(t, pid) {
		if ids, err := nsPID(tid); tid != pid && err == nil {
			return ids[len(ids)-1]
		}
	}
	t.Fatalf("process %d has one thread", pid)
	return 0
}

func expectTaken(t *testing.T, d Driver, p *place, number int) {
	t.Helper()
	before := children(t, p.PID())
	traced(t, p.PID(), func(m *maker) {
		if err := m.under(d, p.ns, number); !errors.Is(err, unix.EEXIST) {
			t.Errorf("pid %d: %v, want EEXIST", number, err)
		}
		if m.made != 0 {
			t.Errorf("%d children made", m.made)
		}
	})
	if after := children(t, p.PID()); !slices.Equal(before, after) {
		t.Errorf("children of init before %v, after %v", before, after)
	}
}

// TestOthersDoNotMatter: a number that is in use in another namespace only, by a
// live process or a zombie, is free.
func TestOthersDoNotMatter(t *testing.T) {
	elsewhere := newPlace(t)
	c, err := openCursor(elsewhere.ns.PID)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if taken, err := c.Aim(9000, 9000); taken || err != nil { // far from what p uses by itself
		t.Fatal(taken, err)
	}
	live, dead := elsewhere.ask("process"), elsewhere.ask("zombie")
	forBoth(t, func(t *testing.T, d Driver, p *place) {
		traced(t, p.PID(), func(m *maker) {
			m.expect(t, d, p.ns, live)
			m.expect(t, d, p.ns, dead)
		})
	})
	if live < 9000 || dead < 9000 {
		t.Errorf("numbers %d and %d: the cursor was at 9000", live, dead)
	}
}

// TestNested: the number counts in the inner of two namespaces.
func TestNested(t *testing.T) {
	forBoth(t, func(t *testing.T, d Driver, p *place) {
		p.ask("inner")
		inner, err := strconv.Atoi(children(t, p.PID())[0])
		if err != nil {
			t.Fatal(err)
		}
		traced(t, inner, func(m *maker) {
			if err := m.under(d, openNS(t, inner), 777); err != nil {
				t.Fatal(err)
			}
			ids, err := nsPID(m.child.TID)
			if err != nil || ids[len(ids)-1] != 777 || ids[len(ids)-2] == 777 {
				t.Errorf("numbers %v, %v: want 777 in the innermost alone", ids, err)
			}
			if err := m.Drop(); err != nil {
				t.Error(err)
			}
		})
	})
}

// TestStorm: others fork all the time. A number is had, or somebody has it;
// never another one, and nothing is left.
func TestStorm(t *testing.T) {
	forBoth(t, func(t *testing.T, d Driver, p *place) {
		fds, ours := descriptors(t), children(t, os.Getpid())
		p.ask("storm")
		p.ask("storm")
		before, exact, made := children(t, p.PID()), 0, 0
		traced(t, p.PID(), func(m *maker) {
			for want := 20000; exact < 40; want += 7 {
				err := m.under(d, p.ns, want)
				switch {
				case err == nil && m.number == want:
					exact++
					if err := m.Drop(); err != nil {
						t.Fatal(err)
					}
				case !errors.Is(err, unix.EEXIST):
					t.Fatalf("asked for %d, got %d: %v", want, m.number, err)
				case want > 25000:
					t.Fatalf("of 700 numbers in a storm, %d were free", exact)
				}
			}
			made = m.made
			if m.made != m.dropped {
				t.Errorf("%d children made, %d dropped", m.made, m.dropped)
			}
			if _, err := m.i.Call(unix.SYS_WAIT4, ^uintptr(0), 0, unix.WNOHANG|unix.WALL, 0); err != nil {
				t.Errorf("init has no children any more: %v", err) // the storm's
			}
		})
		t.Logf("%d numbers, %d children made", exact, made)
		if after := children(t, p.PID()); !slices.Equal(before, after) {
			t.Errorf("children of init before %v, after %v", before, after)
		}
		if after := children(t, os.Getpid()); !slices.Equal(ours, after) {
			t.Errorf("children of the driver before %v, after %v", ours, after)
		}
		if after := descriptors(t); after != fds {
			t.Errorf("descriptors: %d before, %d after", fds, after)
		}
	})
}

// TestCursorIsPutBack: after a hit, a taken number and a clone that fails, the
// next number is one of the next.
func TestCursorIsPutBack(t *testing.T) {
	forBoth(t, func(t *testing.T, d Driver, p *place) {
		busy, before := p.ask("process"), p.ask("next")
		traced(t, p.PID(), func(m *maker) {
			m.expect(t, d, p.ns, 30000)
			if err := m.under(d, p.ns, busy); !errors.Is(err, unix.EEXIST) {
				t.Errorf("taken: %v", err)
			}
			m.fails = unix.EAGAIN
			if err := m.under(d, p.ns, 31000); !errors.Is(err, unix.EAGAIN) {
				t.Errorf("failing clone: %v", err)
			}
		})
		if after := p.ask("next"); after <= before || after > before+100 {
			t.Errorf("the next number was %d before and %d after", before, after)
		}
	})
}

// TestTakenMovesNoCursor: after a number that is taken the next one is the next, as after the
// kernel's own refusal.
func TestTakenMovesNoCursor(t *testing.T) {
	forBoth(t, func(t *testing.T, d Driver, p *place) {
		busy := p.ask("process")
		traced(t, p.PID(), func(m *maker) {
			last := m.next(t)
			if err := m.under(d, p.ns, busy); !errors.Is(err, unix.EEXIST) {
				t.Errorf("taken: %v", err)
			}
			if got := m.next(t); got != last+1 {
				t.Errorf("the number after %d is %d", last, got)
			}
		})
	})
}

// TestCursorMovedByAnother: who moves the cursor between our aim and our clone, far to either
// side, costs a try.
func TestCursorMovedByAnother(t *testing.T) {
	for _, far := range []int{300, 20000} {
		p := newPlace(t)
		other, err := openCursor(p.ns.PID)
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		traced(t, p.PID(), func(m *maker) {
			m.before = func() {
				if m.made == 0 {
					if _, err := other.Aim(far, far); err != nil {
						t.Error(err)
					}
				}
			}
			m.expect(t, LastPID{}, p.ns, 15000)
			if m.made != 2 {
				t.Errorf("from %d: %d children made, want 2", far, m.made)
			}
		})
	}
}

// TestProbeComesFirst: what the clone meets before its number is looked for
// wins over EEXIST.
func TestProbeComesFirst(t *testing.T) {
	p := newPlace(t)
	traced(t, p.PID(), func(m *maker) {
		m.probes = unix.EPERM
		if err := m.under(LastPID{}, p.ns, 1); !errors.Is(err, unix.EPERM) {
			t.Errorf("%v, want EPERM", err)
		}
	})
}

// TestUnusable: a driver that cannot work says why.
func TestUnusable(t *testing.T) {
	p := newPlace(t)
	for role, want := range map[string]string{"weak": "no CAP_SYS_ADMIN over the pid namespace", "hidden": "CONFIG_CHECKPOINT_RESTORE"} {
		tried := reexec.Start(t, role, func(c *exec.Cmd) {
			c.ExtraFiles = []*os.File{p.ns.PID}
			c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}
			if role == "weak" {
				c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
			}
		})
		if got := tried.Line(); !strings.HasPrefix(got, "*pidhint.Unusable: ") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want an Unusable with %q", role, got, want)
		}
	}
}

// TestVisitorsKeepNothingOpen: what this process closes is closed, also while a visitor is there.
// A program that was just written could else not be executed (ETXTBSY).
func TestVisitorsKeepNothingOpen(t *testing.T) {
	const visits = 200
	p := newPlace(t)
	c, err := openCursor(p.ns.PID)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	done := make(chan error, 1)
	go func() {
		var err error
		for i := 0; i < visits && err == nil; i++ {
			_, err = c.Aim(20000, 20000)
		}
		done <- err
	}()
	path, closed := filepath.Join(t.TempDir(), "file"), 0
	for {
		select {
		case err := <-done:
			if err != nil || closed == 0 {
				t.Errorf("%d descriptors closed during %d visits: %v", closed, visits, err)
			}
			return
		default:
			closes(t, path)
			closed++
		}
	}
}

// closes locks a file through a descriptor that it closes: the lock goes with its last copy.
func closes(t *testing.T, path string) {
	t.Helper()
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		t.Errorf("somebody has the last descriptor still: %v", err)
	}
	unix.Close(fd)
}

// TestFirstOfANamespace: where there is no init yet, the child is 1 by itself.
func TestFirstOfANamespace(t *testing.T) {
	for want, errno := range map[int]error{1: nil, 2: unix.EINVAL} {
		m := &fake{gets: 1}
		if err := (LastPID{}).Make(Namespace{}, want, m); !errors.Is(err, errno) {
			t.Errorf("pid %d: %v, want %v", want, err, errno)
		}
		if m.left != (want == 1) {
			t.Errorf("pid %d: a child is left: %v", want, m.left)
		}
	}
}

// fake always gets the same number.
type fake struct {
	gets int
	left bool
}

func (f *fake) Make(bool) (int, error) { f.left = true; return f.gets, nil }
func (f *fake) Drop() error            { f.left = false; return nil }
func (f *fake) Probe() error           { return nil }
