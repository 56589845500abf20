// SPDX-License-Identifier: Apache-2.0

package emu_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu"
)

// What an attack may change.

// refusals are how a call may end that meets one, besides a child.
func (a *attack) refusals() []unix.Errno {
	switch {
	case a.killed("target"):
		return []unix.Errno{unix.ESRCH, unix.ENOMEM} // of an init that is dead
	case a.is("exec", "target-other") && a.play.flags&sharing != 0:
		return []unix.Errno{unix.EINVAL} // they share it no more
	case a.is("unmap", "caller-other"):
		return []unix.Errno{unix.EOPNOTSUPP}
	case a.is("drop", "caller-other") && a.play.kind != "shared" && a.play.flags&unix.CLONE_FILES != 0:
		return []unix.Errno{unix.EOPNOTSUPP} // the caller may not be dumped any more
	case a.way.name == "memory":
		return []unix.Errno{unix.ENOMEM, unix.EOPNOTSUPP}
	case a.way.name == "files":
		return []unix.Errno{unix.EOPNOTSUPP}
	case a.way.name == "trace", a.way.name == "freeze":
		return []unix.Errno{unix.EBUSY}
	}
	return nil
}

// check looks at the call's result, and at who should not have noticed anything.
func (a *attack) check() {
	a.t.Helper()
	results := a.results()
	if !a.noCalls {
		a.judge(results[len(results)-1], a.refusals())
	}
	now := a.look()
	if !a.gone("caller") && now[0] != a.looked[0] {
		a.t.Errorf("the caller has changed:\n%s", differ(a.looked[0], now[0]))
	}
	if a.play.kind != "self" && !a.gone("target") && now[1] != a.looked[1] {
		a.t.Errorf("the target has changed:\n%s", differ(a.looked[1], now[1]))
	}
	if a.noCalls {
		return
	}
	a.calls() // they go on
	a.must("result ")
	a.calm()
	results = a.results()
	var may []unix.Errno
	if a.killed("target") || slices.Contains([]string{"exec", "unmap", "drop"}, a.way.name) {
		may = a.refusals()
	}
	a.judge(results[len(results)-1], may)
}

// gone reports whether the attack has made another of one: killed, or of other looks.
func (a *attack) gone(who string) bool {
	changes := slices.Contains([]string{"exec", "drop", "leave", "unmap"}, a.way.name)
	together := a.way.name == "unmap" && a.play.kind == "shared"
	return a.killed(who) || a.met && changes && (together || strings.HasPrefix(a.who, who))
}

// killed reports whether somebody is dead.
func (a *attack) killed(who string) bool {
	return a.is("kill", who) || a.is("group", who) || a.is("group", "caller") ||
		a.is("group", "target") && strings.HasPrefix(who, "child")
}

func (a *attack) judge(result int, may []unix.Errno) {
	a.t.Helper()
	for _, errno := range may {
		if result == -int(errno) {
			return
		}
	}
	if result <= 0 {
		a.t.Errorf("the call's result is %d (%v), want a child or %v", result, unix.Errno(-result), may)
	}
}

// made are the children that the caller was told of.
func (a *attack) made() (n int) {
	for _, r := range append(a.results(), a.numbers("second ")...) {
		if r > 0 {
			n++
		}
	}
	return n
}

func (a *attack) results() []int { return a.numbers("result ") }

// numbers are those in lines that begin so.
func (a *attack) numbers(begin string) (all []int) {
	for _, line := range a.said {
		var n int
		if _, err := fmt.Sscanf(line, begin+"%d", &n); err == nil {
			all = append(all, n)
		}
	}
	return all
}

// finish has all say what they have met, and end.
func (a *attack) finish() {
	a.t.Helper()
	if a.play.kind != "self" && !a.killed("target") {
		a.finishTarget()
	}
	for a.play.kind != "self" && alive(a.target) {
		time.Sleep(100 * time.Microsecond)
	}
	if !a.killed("caller") {
		a.checkCaller(a.quit("caller", callerOther, caller))
	}
	if served := a.must("served "); served[0] == '-' {
		a.t.Errorf("a call at the end: %s", served)
	}
	a.must("end")
	var exit *emu.ExitError
	if err := a.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		a.t.Error(err)
	}
	a.checkChildren()
	if a.t.Failed() {
		a.t.Logf("said:\n%s", strings.Join(a.said, "\n"))
	}
}

// tally is what a process has met: signals, waits cut short, its children.
type tally struct {
	restart, noRestart, child, kids, left int
}

func (a *attack) quit(who string, other, first int) (n tally) {
	fd := first
	if a.play.threads == "threads" {
		fd = other
	}
	a.tell(fd, "q")
	if _, err := fmt.Sscan(a.must(who+" "), &n.restart, &n.noRestart, &n.child, &n.kids, &n.left); err != nil {
		a.t.Error(err)
	}
	if n.left != -int(unix.ECHILD) {
		a.t.Errorf("%s: somebody is left below it: %d", who, n.left)
	}
	want := 0
	if a.met && a.way.name == "signals" && strings.HasPrefix(a.who, who) {
		want = burst
	}
	if n.restart != want || n.noRestart != want {
		a.t.Errorf("%s: %d and %d signals came, want %d of each", who, n.restart, n.noRestart, want)
	}
	return n
}

func (a *attack) finishTarget() {
	executed, left := a.is("exec", "target-other"), a.is("leave", "target")
	cut := 0
	if !executed && !left {
		a.tell(leader, "r")
		_, _ = fmt.Sscan(a.must("leader "), &cut)
	}
	n := a.quit("target", targetOther, leader)
	if may := a.interruptions(n); cut > may {
		a.t.Errorf("the target's wait was cut short %d times, want at most %d", cut, may)
	}
	if unwaited := a.play.has("ignores") || a.play.has("nowait"); !executed && !unwaited && (n.child > n.kids || n.kids > 0 && n.child == 0) {
		a.t.Errorf("the target has heard of %d children, and has %d", n.child, n.kids)
	}
}

// interruptions are those that the target's leader sees without us, too.
func (a *attack) interruptions(n tally) (may int) {
	if a.play.threads == "alone" {
		may = n.noRestart
		if a.play.waits == "epoll" {
			may += n.restart + n.child
		}
	}
	if a.play.waits == "epoll" && strings.HasPrefix(a.who, "target") {
		switch a.way.name {
		case "stop", "pause", "trace":
			may++
		case "freeze":
			may += 2 // it is moved back
		}
	}
	return may
}

func (a *attack) checkCaller(n tally) {
	most := 1 // the target
	if a.play.kind == "self" {
		most = n.kids
	}
	if n.child > most || a.play.kind != "self" && n.kids > 1 {
		a.t.Errorf("the caller has heard of %d children, and has %d", n.child, n.kids)
	}
}

// checkChildren counts those that have lived, and those that somebody has reaped.
func (a *attack) checkChildren() {
	made, lived, killed := a.made(), 0, 0
	for _, line := range a.said {
		var who string
		var pid, status int
		if n, _ := fmt.Sscanf(line, "kid %s %d %d", &who, &pid, &status); n != 3 {
			if n, _ := fmt.Sscanf(line, "orphan %d %d", &pid, &status); n != 2 {
				continue
			}
		}
		switch {
		case pid == a.caller || pid == a.target || pid == a.company:
		case status == 7<<8:
			lived++
		case status == int(unix.SIGKILL) && (a.is("kill", "child") || a.is("kill", "child2") || a.killed("target")):
			killed++
		default:
			a.t.Errorf("a stranger was left to somebody: %s", line)
		}
	}
	said := a.count("child")
	if a.play.flags&unix.CLONE_THREAD != 0 || a.play.has("ignores") || a.play.has("nowait") {
		lived = said
	}
	most := made
	if a.noCalls {
		most++
	}
	if a.play.kind == "init" && a.killed("target") {
		made, lived = 0, min(lived, said) // an init's end is that of all, unseen
	}
	if lived+killed < made || lived+killed > most || said < lived {
		a.t.Errorf("%d calls have made a child, %d have said something, %d ended by themselves, %d were killed", made, said, lived, killed)
	}
}
