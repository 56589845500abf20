// SPDX-License-Identifier: Apache-2.0

package emu_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu"
)

// play is a call.
type play struct {
	kind    string // of target
	flags   uint64 // besides SIGCHLD
	hint    bool
	waits   string // how the target's leader waits
	threads string // whether caller and target have more than one
	more    string // words (testdata/attacked.c), and these: old, as before Linux 6.9; cgroup, the target has its own
}

func (p play) String() string {
	name := fmt.Sprintf("%s,%#x,%v,%s,%s", p.kind, p.flags, p.hint, p.waits, p.threads)
	return strings.TrimSuffix(name+","+p.more, ",")
}

func (p play) has(word string) bool { return slices.Contains(strings.Split(p.more, ","), word) }

// sharing are the flags that caller and target have to share something for.
const sharing = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_SYSVSEM | unix.CLONE_IO

var plays = []play{
	{"self", 0, false, "read", "threads", ""},
	{"self", 0, true, "read", "alone", ""},
	{"self", unix.CLONE_VFORK, false, "read", "threads", ""},
	{"self", unix.CLONE_VM, true, "read", "threads", ""},
	{"self", unix.CLONE_PARENT, false, "read", "alone", ""},
	{"self", unix.CLONE_THREAD | unix.CLONE_VM | unix.CLONE_SIGHAND, false, "read", "threads", ""},
	{"init", 0, false, "read", "threads", ""},
	{"init", 0, true, "epoll", "alone", ""},
	{"init", unix.CLONE_VFORK, false, "epoll", "threads", ""},
	{"shared", 0, false, "epoll", "threads", ""},
	{"shared", 0, true, "read", "alone", ""},
	{"shared", unix.CLONE_VM, false, "read", "threads", ""},
	{"shared", unix.CLONE_VM | unix.CLONE_VFORK, true, "read", "threads", ""},
	{"forked", 0, false, "epoll", "threads", ""},
	{"forked", 0, true, "read", "alone", ""},
	{"forked", unix.CLONE_VFORK, false, "read", "threads", ""},
	{"executed", 0, false, "read", "threads", ""},
	{"executed", 0, true, "epoll", "alone", ""},

	{"self", 0, false, "read", "threads", "headless"},
	{"self", unix.CLONE_VFORK, true, "read", "alone", "headless"},
	{"self", unix.CLONE_THREAD | unix.CLONE_VM | unix.CLONE_SIGHAND, false, "read", "threads", "headless"},
	{"init", 0, false, "read", "threads", "headless"},
	{"forked", 0, false, "read", "threads", "headless"},
	{"executed", 0, true, "epoll", "alone", "headless"},
	{"self", 0, false, "read", "alone", "headless,old"},
	{"init", 0, false, "epoll", "alone", "headless,old"},
	{"shared", 0, false, "read", "threads", "headless,old"},
	{"forked", 0, false, "epoll", "threads", "headless,old"},
	{"forked", unix.CLONE_VFORK, true, "read", "alone", "headless,old"},
	{"executed", 0, false, "read", "threads", "headless,old"},

	{"init", 0, false, "read", "threads", "headless-target"},
	{"init", 0, false, "read", "threads", "headless-target,old"},
	{"forked", 0, false, "epoll", "threads", "headless-target"},
	{"executed", 0, true, "read", "alone", "headless,headless-target,old"},

	{"forked", 0, false, "read", "threads", "ignores"},
	{"init", 0, false, "epoll", "alone", "ignores"},
	{"executed", 0, true, "epoll", "alone", "nowait"},
	{"forked", 0, false, "read", "threads", "session"},
	{"executed", 0, false, "read", "alone", "session"},

	{"forked", unix.CLONE_FILES, false, "read", "threads", ""},
	{"forked", unix.CLONE_FILES | unix.CLONE_FS | unix.CLONE_IO, true, "read", "alone", ""},
	{"forked", unix.CLONE_FS, false, "epoll", "threads", ""},
	{"shared", unix.CLONE_VM | unix.CLONE_SIGHAND, false, "read", "threads", ""},
	{"shared", unix.CLONE_VM | unix.CLONE_FILES, false, "read", "threads", ""},
	{"shared", unix.CLONE_FILES, false, "read", "alone", ""},

	{"self", 0, false, "read", "threads", "filter"},
	{"forked", 0, false, "read", "threads", "filter"},
	{"init", 0, false, "read", "alone", "filters"},
	{"executed", 0, false, "epoll", "threads", "filters"},

	{"forked", 0, false, "read", "threads", "cgroup"},
	{"init", 0, false, "read", "threads", "cgroup"},
	{"forked", unix.CLONE_FILES, false, "read", "alone", "cgroup"},
	{"forked", 0, false, "read", "threads", "company"},
	{"shared", unix.CLONE_VM, false, "read", "threads", "company"},
	{"executed", 0, false, "read", "alone", "company,headless,old"},
	{"self", 0, false, "read", "threads", "nested"},
	{"forked", 0, false, "epoll", "threads", "nested"},
	{"init", 0, false, "read", "alone", "nested"},
}

// suits reports whether such a victim is there.
func (p play) suits(w way, who string) bool {
	switch {
	case w.on != "" && !slices.Contains(strings.Fields(w.on), who):
		return false
	case w.not != nil && w.not(p):
		return false
	case p.kind == "self" && strings.HasPrefix(who, "target"), p.kind != "init" && who == "child2":
		return false
	case p.threads == "alone" && (strings.HasSuffix(who, "-other") || w.name == "leave"):
		return false
	case p.flags&unix.CLONE_THREAD != 0 && strings.HasPrefix(who, "child"):
		return false // it is the caller
	case who == "giver":
		return p.hasGiver()
	case who == "company" || who == "father":
		return p.has(map[string]string{"company": "company", "father": "nested"}[who])
	}
	return true
}

// hasGiver: descriptors of a caller whose leader has exited are shown by a process, before Linux 6.9.
func (p play) hasGiver() bool {
	return p.has("headless") && p.has("old") && p.kind != "self" && p.kind != "init"
}

// moment is a visit of a step.
type moment struct {
	step  string
	visit int
}

// moments are the steps of such a call, as it makes them unharmed.
func moments(t *testing.T, program string, p play) (found []moment) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "steps")
	create(t, file)
	a := &attack{program: program, play: p, gate: filepath.Join(t.TempDir(), "gate")}
	a.t = t
	cmd := a.command()
	cmd.NoteIn(a.gate, file)
	a.change(cmd)
	a.begin(cmd)
	create(t, a.gate)
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

func create(t *testing.T, file string) {
	t.Helper()
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (a *attack) command() *emu.Cmd {
	hint := "0"
	if a.play.hint {
		hint = fmt.Sprint(hintFor(a.t))
	}
	flags := fmt.Sprintf("%x", a.play.flags|uint64(unix.SIGCHLD))
	return emu.Command(a.program, a.play.kind, flags, hint, a.play.waits, a.play.threads, a.play.more)
}

// change is for a command that has its fault.
func (a *attack) change(cmd *emu.Cmd) {
	if a.play.has("old") {
		cmd.Before69()
	}
}

// headless reports whether a leader has exited. A process that is moved then is not seen by cgroup.kill:
// its leader stays where it was (kernel/cgroup/cgroup.c, cgroup_migrate_add_task()).
func (p play) headless() bool { return p.has("headless") || p.has("headless-target") }
