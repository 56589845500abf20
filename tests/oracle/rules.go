// SPDX-License-Identifier: Apache-2.0

package main

import (
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// rule recognises a difference that may be.
type rule struct {
	// name is a difference's in the manual page, for the emulator alone; empty for
	// what the specification says of every implementation.
	name string
	key  *regexp.Regexp
	// targets it is about: a predicate.
	targets func(target string) bool
	// holds looks at the values; nil takes all.
	holds func(d Difference) bool
}

func key(pattern string) *regexp.Regexp { return regexp.MustCompile("^(" + pattern + ")$") }

// inContainer: the target's namespaces are not the caller's.
func inContainer(t string) bool {
	return strings.HasSuffix(t, "init") || strings.HasSuffix(t, "member")
}

// transplanted: the child is rebuilt from a child of the target's.
func transplanted(t string) bool { return t != "self" && !strings.HasSuffix(t, "init") }

// executes: the target's memory was laid out by an exec of its own.
func executes(t string) bool {
	return transplanted(t) && t != "forked" && t != "twin" && t != "grandchild"
}

func is(name string) func(string) bool {
	return func(t string) bool { return t == name }
}

// onlyBits: two decimal numbers that differ in no other bits.
func onlyBits(mask uint64) func(d Difference) bool {
	return func(d Difference) bool {
		a, errA := strconv.ParseUint(d.Fork, 10, 64)
		b, errB := strconv.ParseUint(d.Clone, 10, 64)
		return errA == nil && errB == nil && (a^b)&^mask == 0
	}
}

// Bits of task_struct.flags, field 9 of /proc/PID/stat.
const (
	pfForkNoExec = 0x40
	pfSuperPriv  = 0x100
)

var rules = []rule{
	// The specification, section 2: the target's namespaces, and its root for
	// both directories where the mount namespace is another.
	{key: key(`link\.ns/.*`), targets: inContainer},
	{key: key(`fs\.cwd|link\.(cwd|root)`), targets: inContainer},
	// How that shows in what is told relative to a namespace.
	{key: key(`status\.NS(pgid|sid)|fd\.\d+\.owner`), targets: inContainer},
	{key: key(`proc\.(cgroup|cpuset)`), targets: inContainer},

	{"session", key(`stat\.[5678]|status\.NS(pgid|sid)|proc\.autogroup`), is("setsid"), nil},
	{"accounting", key(`stat\.9`), transplanted, onlyBits(pfForkNoExec | pfSuperPriv)},
	{"accounting", key(`status\.(VmPeak|FDSize)`), transplanted, nil},
	{"address-choice", key(`probe\.mmap_at`), executes, nil},
	{"timer-slack-default", key(`probe\.timerslack_default`), transplanted, nil},
	{"request-key", key(`keyring\.request_default`), transplanted, nil},
}

// Verdict is what the rules make of a cell.
type Verdict struct {
	Documented []string     // names of differences that showed, once each
	Expected   int          // what the specification says
	Wrong      []Difference // everything else
	Failed     string
}

// OK reports whether nothing was found.
func (v Verdict) OK() bool { return v.Failed == "" && len(v.Wrong) == 0 }

// Judge applies the rules: those of the emulator only if emulated.
func Judge(c *Cell, emulated bool) (v Verdict) {
	switch {
	case c.Failed != "":
		v.Failed = c.Failed
	case emulated && c.Target == "user_member" && c.Errno == int(unix.EOPNOTSUPP):
		v.Documented = []string{"target-user-namespace"}
	case c.Errno != 0:
		v.Failed = unix.Errno(c.Errno).Error()
	case c.Keys < leastKeys:
		v.Failed = "only " + strconv.Itoa(c.Keys) + " keys were compared"
	}
	for _, d := range c.Differences {
		v.add(c.Target, d, emulated)
	}
	return v
}

// leastKeys is fewer than any caller has: a text that broke off is no agreement.
const leastKeys = 500

func (v *Verdict) add(target string, d Difference, emulated bool) {
	for _, r := range rules {
		if r.name != "" && !emulated || !r.key.MatchString(d.Key) || !r.targets(target) ||
			r.holds != nil && !r.holds(d) {
			continue
		}
		if r.name == "" {
			v.Expected++
		} else if !contains(v.Documented, r.name) {
			v.Documented = append(v.Documented, r.name)
		}
		return
	}
	v.Wrong = append(v.Wrong, d)
}

func contains(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}
