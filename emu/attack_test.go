// SPDX-License-Identifier: Apache-2.0

package emu_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu"
	"cloneat-emu/tests/built"
)

// Somebody attacks caller, target or child in the making while the operator stands at one of its
// named steps, each of them: whatever comes of the call, nobody else is harmed, and nothing is left.

// play is a call.
type play struct {
	kind    string // of target
	flags   uint64 // besides SIGCHLD
	hint    bool
	waits   string // how the target's leader waits
	threads string // whether caller and target have more than one
}

func (p play) String() string {
	return fmt.Sprintf("%s,%#x,%v,%s,%s", p.kind, p.flags, p.hint, p.waits, p.threads)
}

var plays = []play{
	{"self", 0, false, "read", "threads"},
	{"self", 0, true, "read", "alone"},
	{"self", unix.CLONE_VFORK, false, "read", "threads"},
	{"self", unix.CLONE_VM, true, "read", "threads"},
	{"self", unix.CLONE_PARENT, false, "read", "alone"},
	{"self", unix.CLONE_THREAD | unix.CLONE_VM | unix.CLONE_SIGHAND, false, "read", "threads"},
	{"init", 0, false, "read", "threads"},
	{"init", 0, true, "epoll", "alone"},
	{"init", unix.CLONE_VFORK, false, "epoll", "threads"},
	{"shared", 0, false, "epoll", "threads"},
	{"shared", 0, true, "read", "alone"},
	{"shared", unix.CLONE_VM, false, "read", "threads"},
	{"shared", unix.CLONE_VM | unix.CLONE_VFORK, true, "read", "threads"},
	{"forked", 0, false, "epoll", "threads"},
	{"forked", 0, true, "read", "alone"},
	{"forked", unix.CLONE_VFORK, false, "read", "threads"},
	{"executed", 0, false, "read", "threads"},
	{"executed", 0, true, "epoll", "alone"},
}

// moment is a visit of a step.
type moment struct {
	step  string
	visit int
}

// harmful are those that once did harm.
var harmful = []string{
	// killed with the clone behind it: the child was, too
	"self,0x0,true,read,alone/self: cloned 1/kill caller",
	"self,0x4000,false,read,threads/self: cloned 1/kill caller",
	"forked,0x4000,false,read,threads/child ready 1/exec caller-other",
	"shared,0x4100,true,read,threads/child ready 1/exec caller-other",
	// the end of an init's leader was that of the init
	"init,0x0,false,read,threads/checked 1/leave target",
	// the child was left to the target
	"init,0x0,false,read,threads/init: child made 1/kill caller",
	"init,0x0,true,epoll,alone/init: father gone 1/kill caller",
	// another thread of the target heard of it
	"init,0x0,false,read,threads/forked 3/freeze caller",
}

// TestAttacked: those that did harm and some at random, ATTACKS=N of all that match ATTACK.
func TestAttacked(t *testing.T) {
	t.Parallel()
	program := built.C(t, "emu/testdata/attacked.c")
	all := attacks(t, program)
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	if n, err := strconv.Atoi(os.Getenv("ATTACKS")); err == nil {
		few = n
	}
	visit := regexp.MustCompile(` \d+/`) // there may be fewer now and then
	known := map[string]bool{}
	var ran []*attack
	t.Cleanup(func() { struck(t, ran) })
	for i, a := range all {
		known[visit.ReplaceAllString(a.String(), "/")] = true
		if i >= few && !slices.Contains(harmful, a.String()) {
			continue
		}
		ran = append(ran, a)
		t.Run(a.String(), func(t *testing.T) {
			t.Parallel()
			a.run(t)
		})
	}
	for _, name := range harmful {
		if !known[visit.ReplaceAllString(name, "/")] && os.Getenv("ATTACK") == "" {
			t.Errorf("there is no attack %s any more", name)
		}
	}
}

// struck: most of the attacks have found the operator at their step, if not all their victim.
func struck(t *testing.T, ran []*attack) {
	t.Helper()
	came, met := 0, 0
	for _, a := range ran {
		if a.came {
			came++
		}
		if a.met {
			met++
		}
	}
	t.Logf("%d attacks: at %d the operator came to the step, %d had a victim", len(ran), came, met)
	if len(ran) == 0 || os.Getenv("ATTACK") == "" && (2*came < len(ran) || met == 0) {
		t.Error("these are too few")
	}
}

// few are so many that they take some seconds.
var few = 20

func attacks(t *testing.T, program string) (all []*attack) {
	t.Helper()
	want := regexp.MustCompile(os.Getenv("ATTACK"))
	for _, p := range plays {
		for _, m := range moments(t, program, p) {
			for _, w := range ways {
				for _, who := range []string{"caller", "caller-other", "target", "target-other", "child", "child2"} {
					a := &attack{program: program, play: p, moment: m, way: w, who: who}
					if p.suits(w, who) && want.MatchString(a.String()) {
						all = append(all, a)
					}
				}
			}
		}
	}
	return all
}

// suits reports whether such a victim is there.
func (p play) suits(w way, who string) bool {
	switch {
	case w.on != "" && !slices.Contains(strings.Fields(w.on), who):
		return false
	case p.kind == "self" && strings.HasPrefix(who, "target"), p.kind != "init" && who == "child2":
		return false
	case p.threads == "alone" && (strings.HasSuffix(who, "-other") || w.name == "leave"):
		return false
	case p.flags&unix.CLONE_THREAD != 0 && strings.HasPrefix(who, "child"):
		return false // it is the caller
	}
	return true
}

// moments are the steps of such a call, as it makes them unharmed.
func moments(t *testing.T, program string, p play) (found []moment) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "steps")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	a := &attack{program: program, play: p}
	a.t = t
	cmd := a.command()
	cmd.NoteSecond(file)
	a.begin(cmd)
	a.calls()
	a.must("result ")
	a.calm()
	a.finish()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	visits := map[string]int{}
	for step := range strings.Lines(string(text)) {
		step = strings.TrimSpace(step)
		visits[step]++
		found = append(found, moment{step, visits[step]})
	}
	if len(found) == 0 {
		t.Fatalf("%v: no step is named", p)
	}
	return found
}

func (a *attack) command() *emu.Cmd {
	hint := "0"
	if a.play.hint {
		hint = fmt.Sprint(hintFor(a.t))
	}
	return emu.Command(a.program, a.play.kind, fmt.Sprintf("%x", a.play.flags|uint64(unix.SIGCHLD)), hint, a.play.waits, a.play.threads)
}
