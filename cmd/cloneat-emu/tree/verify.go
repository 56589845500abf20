// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
)

// verify reads the tree back, stops who is to be stopped, and notes whatever is
// not as the file says.
func (b *builder) verify(root int) (*Tree, error) {
	if err := b.awaitZombies(); err != nil {
		return nil, err
	}
	got, err := live(root, b.o.Brief)
	if err != nil {
		return nil, err
	}
	if b.stopSome(got) {
		if got, err = live(root, b.o.Brief); err != nil {
			return nil, err
		}
	}
	if b.o.Payload == "" {
		awaitSleep(got)
	}
	b.notes = append(b.notes, compare(b.tree, got, b.o.Payload == "")...)
	return got, nil
}

// awaitZombies waits until those who are to be zombies have exited.
func (b *builder) awaitZombies() error {
	for _, p := range b.tree.Processes {
		if !p.Zombie() {
			continue
		}
		host, err := b.hostPID(Actor(p.PID))
		if err != nil {
			return err
		}
		if err := awaitExit(host); err != nil {
			return fmt.Errorf("process %d: %w", p.PID, err)
		}
	}
	return nil
}

// awaitExit waits until a process that nobody reaps has exited.
func awaitExit(pid int) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return fmt.Errorf("pidfd_open pid %d: %w", pid, err)
	}
	defer func() { _ = unix.Close(fd) }()
	for {
		_, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1)
		if err != unix.EINTR {
			return err
		}
	}
}

// stopSome sends SIGSTOP to the members that the file says are stopped, and
// waits until they are.
func (b *builder) stopSome(got *Tree) bool {
	pairs := match(b.tree, got)
	any := false
	for _, p := range b.tree.Processes {
		g := pairs[p]
		if p.State != "T" || g == nil {
			continue
		}
		// The kernel handles it before the process runs again, so it is a matter of
		// its being scheduled.
		if unix.Kill(g.host(), unix.SIGSTOP) == nil {
			any = true
			awaitState(g.host(), "TZ")
		}
	}
	return any
}

// awaitSleep waits for idlers that were still on their way to sleep when they were
// read: running, or waiting for whoever looked at their memory.
func awaitSleep(got *Tree) {
	for _, g := range got.Processes {
		if g.State != "R" && g.State != "D" {
			continue
		}
		if s := awaitState(g.host(), "STZ"); s != 0 {
			g.State = string(s)
		}
	}
}

// awaitState waits until a process is in one of the states, and returns it, or 0 if
// there is no such process any more.
func awaitState(pid int, states string) rune {
	d, err := proc.Open(pid)
	if err != nil {
		return 0
	}
	defer func() { _ = d.Close() }()
	for {
		st, err := d.Status()
		if err != nil {
			return 0
		}
		if strings.ContainsRune(states, rune(st.State)) {
			return rune(st.State)
		}
		_ = unix.Nanosleep(&unix.Timespec{Nsec: 1e6}, nil)
	}
}

// match pairs the processes of a tree with those of another one that was made
// after it: children of a pair belong together by the number that they have in
// their own pid namespace, which is what a hint decides. Inits of nested
// namespaces, all of them 1, are told by their number above.
func match(want, got *Tree) map[*Process]*Process {
	pairs := map[*Process]*Process{want.Root(): got.Root()}
	wanted, found := want.Children(), got.Children()
	for i := 0; i < len(want.Processes); i++ {
		p := want.Processes[i]
		g := pairs[p]
		if g == nil {
			continue
		}
		depth := len(p.NSPID)
		byNumber := map[int]*Process{}
		for _, c := range found[g.PID] {
			byNumber[c.at(depth)] = c
		}
		for _, c := range wanted[p.PID] {
			if m := byNumber[c.at(depth)]; m != nil {
				pairs[c] = m
			}
		}
	}
	return pairs
}

// at is the number in the namespace so many below the root's.
func (p *Process) at(depth int) int {
	if depth == 0 {
		return p.PID
	}
	return p.NSPID[depth-1]
}

// compare says how a tree differs from the one that was wanted; a payload has names of its own.
func compare(want, got *Tree, names bool) []string {
	var notes []string
	pairs := match(want, got)
	number := map[int]int{} // what became of a number of the file
	for p, g := range pairs {
		number[p.PID] = g.PID
	}
	for _, p := range want.Processes {
		g := pairs[p]
		if g == nil {
			notes = append(notes, fmt.Sprintf("process %d is not there", p.PID))
			continue
		}
		for _, d := range differences(p, g, number) {
			notes = append(notes, fmt.Sprintf("process %d: %s", p.PID, d))
		}
		if names && p.Comm != "" && p.Comm != g.Comm {
			notes = append(notes, fmt.Sprintf("process %d: name is %q, not %q", p.PID, g.Comm, p.Comm))
		}
	}
	if extra := len(got.Processes) - len(pairs); extra > 0 {
		notes = append(notes, fmt.Sprintf("%d processes more than wanted", extra))
	}
	return notes
}

// differences compares two processes.
func differences(p, g *Process, number map[int]int) []string {
	var d []string
	check := func(what string, want, is int) {
		if mapped, ok := number[want]; ok {
			want = mapped
		}
		if want != is {
			d = append(d, fmt.Sprintf("%s is %d, not %d", what, is, want))
		}
	}
	check("process group", p.PGID, g.PGID)
	check("session", p.SID, g.SID)
	if len(p.NSPID) > 0 && p.PID != g.PID {
		d = append(d, fmt.Sprintf("its number in the root's pid namespace is %d: a hint counts in the target's", g.PID))
	}
	if p.Zombie() != g.Zombie() || p.State == "T" && g.State != "T" {
		d = append(d, fmt.Sprintf("state is %s, not %s", g.State, p.State))
	}
	if p.Zombie() && p.Exit != g.Exit {
		d = append(d, fmt.Sprintf("exit is %#x, not %#x", g.Exit, p.Exit))
	}
	if !p.Zombie() && len(p.Threads) > 0 && !sameNumbers(p.Threads, g.Threads) {
		d = append(d, fmt.Sprintf("threads are %v, not %v", g.Threads, p.Threads))
	}
	if kinds := missing(p, g); len(kinds) > 0 {
		d = append(d, fmt.Sprintf("%s are its parent's: of namespaces only those of pids are made", strings.Join(kinds, ", ")))
	}
	return d
}

// missing are the kinds of namespaces that a process had for itself and now shares with
// its parent. The root's are there for others to be compared with.
func missing(p, g *Process) (kinds []string) {
	if p.PPID == 0 {
		return nil
	}
	for _, kind := range slices.Sorted(maps.Keys(p.Namespaces)) {
		if _, own := g.Namespaces[kind]; !own {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// sameNumbers compares two lists as sets.
func sameNumbers(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	x, y := append([]int(nil), a...), append([]int(nil), b...)
	sort.Ints(x)
	sort.Ints(y)
	return fmt.Sprint(x) == fmt.Sprint(y)
}

// Close takes the tree down: every process of it is killed and reaped.
func (t *Built) Close() { t.b.end() }
