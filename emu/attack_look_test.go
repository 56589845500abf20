// SPDX-License-Identifier: Apache-2.0

package emu_test

import (
	"fmt"
	"os"
	"strings"

	"cloneat-emu/emu/proc"
)

// below are the processes below one, the nearer first.
func below(pid int) (found []int) {
	parents := map[int]int{}
	all, _ := proc.Processes()
	for _, p := range all {
		if st := statOf(p); st != nil {
			parents[p] = st.Ppid
		}
	}
	next := []int{pid}
	for len(next) > 0 {
		var children []int
		for _, p := range all {
			for _, up := range next {
				if parents[p] == up {
					children = append(children, p)
				}
			}
		}
		found, next = append(found, children...), children
	}
	return found
}

func statOf(pid int) *proc.Stat {
	dir, err := proc.Open(pid)
	if err != nil {
		return nil
	}
	defer dir.Close()
	st, err := dir.Stat()
	if err != nil {
		return nil
	}
	return st
}

// alive reports whether a process has not ended.
func alive(pid int) bool {
	st := statOf(pid)
	return st != nil && (st.State != 'Z' || st.NumThreads > 1)
}

// tasks are the threads of a process.
func tasks(pid int) (tids []int) {
	dir, err := proc.Open(pid)
	if err != nil {
		return nil
	}
	defer dir.Close()
	tids, _ = dir.Threads()
	return tids
}

// held are the threads of processes that somebody traces, or that are stopped.
func held(pids []int) (held []string) {
	for _, pid := range pids {
		for _, tid := range tasks(pid) {
			text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/status", pid, tid))
			state, tracer := field(text, "State"), field(text, "TracerPid")
			if err == nil && (strings.ContainsAny(state[:1], "Tt") || tracer != "0") {
				held = append(held, fmt.Sprintf("%d of %d: %s, traced by %s", tid, pid, state, tracer))
			}
		}
	}
	return held
}

func field(status []byte, name string) string {
	_, rest, _ := strings.Cut(string(status), name+":\t")
	value, _, _ := strings.Cut(rest, "\n")
	return value + " "[:max(0, 1-len(value))]
}

// looks are what a process has that no call of another may change.
func looks(pid int) string {
	tid := live(pid)
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", tid))
	maps, _ := os.ReadFile(fmt.Sprintf("/proc/%d/maps", tid))
	fds, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", tid))
	out := fmt.Sprintf("descriptors %d, threads %d\n", len(fds), len(tasks(pid)))
	for _, name := range []string{"State", "SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt", "Uid", "NoNewPrivs", "Seccomp"} {
		out += name + " " + field(status, name) + "\n"
	}
	for line := range strings.Lines(string(maps)) {
		if !strings.Contains(line, "[heap]") && !strings.Contains(line, "[stack]") {
			out += line
		}
	}
	return out
}

// differ are the lines that one text has and not the other.
func differ(was, is string) (out string) {
	for _, d := range [][3]string{{"was ", was, is}, {"is  ", is, was}} {
		for line := range strings.Lines(d[1]) {
			if !strings.Contains(d[2], line) {
				out += d[0] + line
			}
		}
	}
	return out
}
