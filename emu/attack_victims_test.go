// SPDX-License-Identifier: Apache-2.0

package emu_test

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

var victims = []string{"caller", "caller-other", "target", "target-other", "child", "child2", "giver", "company", "father"}

// victim is a thread that meets an attack, and what it obeys.
type victim struct {
	pid, tid, fd int
	blocks       bool // all signals
}

func (a *attack) victim() (v victim, ok bool) {
	switch a.who {
	case "child", "child2":
		kids := a.kids()
		if giver := a.giver(); giver != 0 {
			kids = slices.DeleteFunc(kids, func(pid int) bool { return pid == giver })
		}
		n := len(a.who) - len("child")
		if len(kids) <= n {
			return v, false
		}
		return victim{pid: kids[n], tid: kids[n]}, true
	case "giver":
		pid := a.giver()
		return victim{pid: pid, tid: pid}, pid != 0
	case "company":
		return victim{pid: a.company, tid: a.company}, true
	case "father":
		return victim{pid: a.father, tid: a.father}, true
	}
	pid, other, fd, headless := a.caller, callerOther, caller, a.play.has("headless")
	if strings.HasPrefix(a.who, "target") {
		pid, other, fd, headless = a.target, targetOther, leader, a.play.has("headless-target")
	}
	tids := tasks(pid)
	n := 0
	if headless {
		n++
	}
	if strings.HasSuffix(a.who, "-other") {
		n++
		fd = other
	}
	if n >= len(tids) {
		return v, false
	}
	return victim{pid, tids[n], fd, a.who == "target" && a.play.threads == "threads"}, true
}

// giver is the process that shows the descriptors of a caller whose leader has exited, or 0.
func (a *attack) giver() int {
	if !a.play.hasGiver() {
		return 0
	}
	for _, pid := range a.kids() {
		if st := statOf(pid); st != nil && st.Ppid == a.caller {
			return pid
		}
	}
	return 0
}

// kids are the live processes of the scene besides those that are there all the time.
func (a *attack) kids() (kids []int) {
	for _, pid := range below(a.cmd.Pid) {
		if slices.Contains([]int{a.caller, a.target, a.company, a.father}, pid) {
			continue
		}
		if st := statOf(pid); st != nil && st.State != 'Z' {
			kids = append(kids, pid)
		}
	}
	return kids
}

// setUp is what a play needs besides.
func (a *attack) setUp() {
	if a.play.has("headless") {
		awaitHeadless(a.caller)
	}
	if a.play.has("headless-target") {
		awaitHeadless(a.target)
	}
	if a.play.has("cgroup") {
		write(a.t, cgroup(a.t)+"/cgroup.procs", strconv.Itoa(a.target))
	}
}

// awaitHeadless waits for the end of a leader.
func awaitHeadless(pid int) {
	for st := statOf(pid); st != nil && st.State != 'Z'; st = statOf(pid) {
		time.Sleep(100 * time.Microsecond)
	}
}

// live is a live thread of a process.
func live(pid int) int {
	for _, tid := range tasks(pid) {
		if exe, err := os.Readlink("/proc/" + strconv.Itoa(tid) + "/exe"); err == nil && exe != "" {
			return tid
		}
	}
	return pid
}
