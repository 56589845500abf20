// SPDX-License-Identifier: Apache-2.0

package emu_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu"
	"cloneat-emu/emu/proc"
)

// attack is one of the table's, and its scene.
type attack struct {
	*scene
	program string
	gate    string // a file: the call that it is about has begun
	play    play
	moment  moment
	way     way
	who     string

	looked  [2]string // at caller and target, before
	came    bool      // the operator, to the step
	met     bool      // there was such a victim
	noCalls bool      // of the caller's any more
	t       *testing.T
}

// hints counts the spans of numbers that were given out.
var hints atomic.Int32

// hintFor is the first of so many numbers that nobody has, nor will soon: half way round from the
// last one that a process was given.
func hintFor(t *testing.T) int {
	t.Helper()
	const first, many = 300, 20
	end, err := proc.PIDMax()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("/proc/sys/kernel/ns_last_pid")
	if err != nil {
		t.Fatal(err)
	}
	last, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	for {
		at := first + (last+end/2+many*int(hints.Add(1)))%(end-first-many)
		taken := false
		for n := range many {
			taken = taken || unix.Kill(at+n, 0) == nil
		}
		if !taken {
			return at
		}
	}
}

func (a *attack) String() string {
	return fmt.Sprintf("%v/%s %d/%s %s", a.play, a.moment.step, a.moment.visit, a.way.name, a.who)
}

func (a *attack) run(t *testing.T) {
	a.t = t
	cmd := a.command()
	a.gate = filepath.Join(t.TempDir(), "gate")
	cmd.StopIn(a.gate, a.moment.step, a.moment.visit)
	a.change(cmd)
	a.begin(cmd)
	a.looked = a.look()
	create(t, a.gate)
	a.calls()
	undo := func() {}
	if a.came = a.awaitStep(); a.came {
		undo = a.strike()
	}
	if err := unix.Kill(cmd.Operator(), unix.SIGCONT); err != nil {
		t.Error(err)
	}
	a.hears("", lasts)
	undo()
	if err := os.Remove(a.gate); err != nil {
		t.Error(err)
	}
	if !a.noCalls && a.count("result ") < 2 {
		a.must("result ")
	}
	if a.met && a.way.says != "" && !a.noCalls && a.count(a.way.says) == 0 {
		a.must(a.way.says)
	}
	a.calm()
	a.check()
	a.finish()
}

// begin has the first call made, unharmed.
func (a *attack) begin(cmd *emu.Cmd) {
	a.scene = startScene(a.t, cmd)
	a.t.Cleanup(a.end)
	if _, err := fmt.Sscan(a.must("pids "), &a.caller, &a.target, &a.company, &a.father); err != nil {
		a.t.Fatal(err)
	}
	if a.play.kind != "self" && a.count("target ready") == 0 {
		a.must("target ready")
	}
	a.setUp()
	a.calls()
	a.must("result ")
	a.calm()
}

// look is what an unharmed call must leave as it was, when all signals have come and been handled.
func (a *attack) look() (at [2]string) {
	for i, pid := range []int{a.caller, a.target} {
		for end := time.Now().Add(bound); time.Now().Before(end); time.Sleep(100 * time.Microsecond) {
			at[i] = looks(pid)
			if !strings.Contains(at[i], "Pnd 00000000000") || strings.Count(at[i], "Pnd 0000000000000000") == 2 && strings.Contains(at[i], "State S") {
				break
			}
		}
	}
	return at
}

// awaitStep reports whether the operator has stopped. An unharmed call may come to a step less often.
func (a *attack) awaitStep() bool {
	const late = bound / 40 // when the call is over
	for end := time.Now().Add(bound); time.Now().Before(end); {
		var si unix.Siginfo
		err := unix.Waitid(unix.P_PID, a.cmd.Operator(), &si, unix.WSTOPPED|unix.WEXITED|unix.WNOWAIT|unix.WNOHANG, nil)
		if err == nil && si.Code == cldStopped {
			return true
		}
		a.hears("", 200*time.Microsecond)
		if over := time.Now().Add(late); a.count("result ") == 2 && over.Before(end) {
			end = over
		}
	}
	return false
}

// strike attacks the victim, if there is one.
func (a *attack) strike() (undo func()) {
	v, ok := a.victim()
	if !ok {
		return func() {}
	}
	a.met = true
	a.t.Logf("%s is %d", a.who, v.pid)
	a.noCalls = a.killed("caller") || a.is("exec", "caller-other")
	return a.way.do(a.scene, v)
}

func (a *attack) is(way, who string) bool { return a.met && a.way.name == way && a.who == who }

// calm waits until nobody is held, and all children have ended.
func (a *attack) calm() {
	a.t.Helper()
	for end := time.Now().Add(bound); ; {
		a.hears("", time.Millisecond)
		all := append(below(a.cmd.Pid), a.cmd.Pid)
		if len(held(all)) == 0 && len(a.kids()) == 0 && !a.unsaid() && !a.crowded() {
			return
		}
		if time.Now().After(end) {
			a.t.Errorf("no end:\n%s\n%s", strings.Join(a.said, "\n"), a.state())
			a.end()
			a.t.FailNow()
		}
	}
}

// unsaid reports whether a child has still to say something.
func (a *attack) unsaid() bool {
	if a.killed("target") || a.killed("child") || a.killed("child2") || a.play.flags&unix.CLONE_THREAD != 0 && a.noCalls {
		return false
	}
	return a.count("child") < a.made() || a.count("child") > a.count("ends ")
}

// crowded reports whether a child that is a thread is there still.
func (a *attack) crowded() bool {
	most := 2
	if a.play.has("headless") {
		most++
	}
	return a.play.flags&unix.CLONE_THREAD != 0 && len(tasks(a.caller)) > most
}
