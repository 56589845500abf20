// SPDX-License-Identifier: Apache-2.0

package main

import (
	"regexp"
	"slices"
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
	// cells it is about.
	cells func(c *Cell) bool
	// holds looks at the values; nil takes all.
	holds func(d Difference) bool
}

func key(pattern string) *regexp.Regexp { return regexp.MustCompile("^(" + pattern + ")$") }

// inContainer: the target's namespaces are not the caller's.
func inContainer(c *Cell) bool {
	return strings.HasSuffix(c.Target, "init") || strings.HasSuffix(c.Target, "member")
}

// transplanted: the child is rebuilt from a child of the target's.
func transplanted(c *Cell) bool { return c.Target != "self" && !strings.HasSuffix(c.Target, "init") }

// executed: the child's memory was laid out by another exec than the caller's, the
// target's own or (for a caller that may not be read) one of the child's.
func executed(c *Cell) bool {
	return transplanted(c) && (!slices.Contains(near, c.Target) || c.Caller == unreadable)
}

func hasTarget(name string) func(*Cell) bool {
	return func(c *Cell) bool { return c.Target == name }
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
	{key: key(`link\.ns/.*`), cells: inContainer},
	{key: key(`fs\.cwd|link\.(cwd|root)`), cells: inContainer},
	// How that shows in what is told relative to a namespace.
	{key: key(`status\.NS(pgid|sid)|fd\.\d+\.owner`), cells: inContainer},
	{key: key(`proc\.(cgroup|cpuset)`), cells: inContainer},

	{"session", key(`stat\.[5678]|status\.NS(pgid|sid)|proc\.autogroup`), hasTarget("setsid"), nil},
	{"accounting", key(`stat\.9`), transplanted, onlyBits(pfForkNoExec | pfSuperPriv)},
	{"accounting", key(`status\.(VmPeak|FDSize)`), transplanted, nil},
	{"accounting", key(`map\..*`), transplanted, func(d Difference) bool {
		return strings.ReplaceAll(d.Fork, " sd", "") == strings.ReplaceAll(d.Clone, " sd", "")
	}},
	{"address-choice", key(`probe\.mmap_at`), executed, nil},
	{"fork-alone", key(`probe\.timerslack_default`), transplanted, nil},
	{"fork-alone", key(`probe\.pkey`), transplanted, func(d Difference) bool {
		return d == Difference{d.Key, "-22", "-28"} // EINVAL, ENOSPC
	}},
	{"fork-alone", key(`keyring\.request_default`), transplanted, nil},
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
	case strings.Count(c.Lacking, ",") > mostLacking:
		v.Failed = "the caller has little that could get lost, it lacks" + c.Lacking
	}
	for _, d := range c.Differences {
		v.add(c, d, emulated)
	}
	return v
}

// leastKeys is fewer than any caller has: a text that broke off is no agreement.
const leastKeys = 500

// mostLacking is more of what makes a caller rich than any kernel refuses it.
const mostLacking = 40

func (v *Verdict) add(c *Cell, d Difference, emulated bool) {
	for _, r := range rules {
		if r.name != "" && !emulated || !r.key.MatchString(d.Key) || !r.cells(c) ||
			r.holds != nil && !r.holds(d) {
			continue
		}
		if r.name == "" {
			v.Expected++
		} else if !slices.Contains(v.Documented, r.name) {
			v.Documented = append(v.Documented, r.name)
		}
		return
	}
	v.Wrong = append(v.Wrong, d)
}
