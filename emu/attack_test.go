// SPDX-License-Identifier: Apache-2.0

package emu_test

import (
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"cloneat-emu/tests/built"
)

// Somebody attacks caller, target or child in the making while the operator stands at one of its
// named steps, each of them: whatever comes of the call, nobody else is harmed, and nothing is left.

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
	// others closed what the child works with: EOPNOTSUPP
	"forked,0x400,false,read,threads/transplant: scheduling 1/close target-other",
	"shared,0x500,false,read,threads/transplant: descriptors 1/close caller-other",
	// another thread of the target heard of it
	"init,0x0,false,read,threads/forked 3/freeze caller",
}

// TestAttacked: those that did harm and some at random; or ATTACKS=N of all that match ATTACK, of
// plays that match PLAY.
func TestAttacked(t *testing.T) {
	t.Parallel()
	program := built.C(t, "emu/testdata/attacked.c")
	all := attacks(t, program)
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	few := 20 // take some seconds
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
		if !known[visit.ReplaceAllString(name, "/")] && os.Getenv("ATTACK")+os.Getenv("PLAY") == "" {
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
	if len(ran) == 0 || os.Getenv("ATTACK")+os.Getenv("PLAY") == "" && (2*came < len(ran) || met == 0) {
		t.Error("these are too few")
	}
}

func attacks(t *testing.T, program string) (all []*attack) {
	t.Helper()
	want := regexp.MustCompile(os.Getenv("ATTACK"))
	for _, p := range chosen() {
		for _, m := range moments(t, program, p) {
			for _, w := range ways {
				for _, who := range victims {
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

// chosen are the plays that harm was done in and some at random: to learn the steps of one takes as
// long as an attack. Or all that match PLAY; ATTACK may mean any.
func chosen() (few []play) {
	const random = 8
	want, all := os.Getenv("PLAY"), os.Getenv("ATTACK") != ""
	rest := random
	for _, i := range rand.Perm(len(plays)) {
		p := plays[i]
		switch {
		case want != "" || all:
			if regexp.MustCompile(want).MatchString(p.String()) {
				few = append(few, p)
			}
		case slices.ContainsFunc(harmful, func(a string) bool { return strings.HasPrefix(a, p.String()+"/") }):
			few = append(few, p)
		case rest > 0:
			few, rest = append(few, p), rest-1
		}
	}
	return few
}
