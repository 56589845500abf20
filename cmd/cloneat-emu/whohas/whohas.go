// SPDX-License-Identifier: Apache-2.0

// Package whohas finds out why a number of a pid namespace cannot be had.
//
// A number is taken as long as a process or thread has it, and as long as any
// process is in a process group or session of that number, though the leader is
// long reaped (kernel/pid.c keeps the struct pid for them).
package whohas

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"cloneat-emu/emu/proc"
)

// Describe says in words who has number n of a pid namespace, in a moment's
// view: "process 4711 (bash)", or that nobody is to be seen with it.
func Describe(pidns proc.NSID, n int) string {
	all, err := proc.Processes()
	if err != nil {
		return fmt.Sprintf("nobody to be seen (%v)", err)
	}
	best := "nobody to be seen"
	for _, pid := range all {
		if s := describe(pid, pidns, n); s != "" {
			best = s
			if strings.HasPrefix(s, "process") {
				return s
			}
		}
	}
	return best
}

// describe is what one process has to do with the number; "" is nothing.
func describe(pid int, pidns proc.NSID, n int) string {
	d, err := proc.Open(pid)
	if err != nil {
		return ""
	}
	defer func() { _ = d.Close() }()
	st, err := d.Status()
	if err != nil {
		return ""
	}
	level := level(d, st, pidns)
	if level < 0 {
		return ""
	}
	comm, _ := d.Comm()
	who := fmt.Sprintf("process %d (%s", pid, strconv.Quote(comm))
	if st.State == 'Z' {
		who += ", a zombie"
	}
	who += ")"
	switch {
	case st.NSpid[level] == n:
		return who
	case thread(d, level, n):
		return "a thread of " + who
	case at(st.NSsid, level) == n:
		return "the session of " + who
	case at(st.NSpgid, level) == n:
		return "the process group of " + who
	}
	return ""
}

// level is the place of the namespace in the lists of st, -1 if the process is
// not in it. A zombie shows this one still, by its number (pidns_get() in
// kernel/pid_namespace.c).
func level(d *proc.Dir, st *proc.Status, pidns proc.NSID) int {
	id, err := d.NS(proc.PID)
	if err == nil && id == pidns {
		return len(st.NSpid) - 1
	}
	own, err := ours()
	if err == nil && own == pidns {
		return 0
	}
	return -1
}

// ours is our own pid namespace: everything that we see is in it.
func ours() (proc.NSID, error) {
	d, err := proc.Open(os.Getpid())
	if err != nil {
		return proc.NSID{}, err
	}
	defer func() { _ = d.Close() }()
	return d.NS(proc.PID)
}

// thread reports whether a thread of the process has the number.
func thread(d *proc.Dir, level, n int) bool {
	tids, err := d.Threads()
	if err != nil {
		return false
	}
	return slices.ContainsFunc(tids, func(tid int) bool {
		t, err := d.Thread(tid)
		if err != nil {
			return false
		}
		defer func() { _ = t.Close() }()
		st, err := t.Status()
		return err == nil && at(st.NSpid, level) == n
	})
}

// at is the i-th number, 0 where there is none.
func at(n []int, i int) int {
	if i < len(n) {
		return n[i]
	}
	return 0
}
