// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"slices"
	"sync"
)

// locks lets one worker at a time attach to a process: the kernel allows one
// tracer a thread, an attempt of another of our threads would look like a
// stranger's, and a transplant stops all threads of the caller. A worker takes
// all the processes that it needs at once, so that there is no order to keep
// and nobody waits while holding; but for one that comes to need the heir of a
// caller that was killed (heir.go), which is above all that it holds.
type locks struct {
	mu   sync.Mutex
	cond *sync.Cond
	held map[int]bool // by thread group; true: maybe for ever
}

// lock waits until all processes are free and takes them. It reports false, and takes none, where
// that may last for ever.
func (l *locks) lock(tgids ...int) bool { return l.take(false, tgids) }

// await is lock for one who waits as long as that lasts.
func (l *locks) await(tgids ...int) { l.take(true, tgids) }

func (l *locks) take(ever bool, tgids []int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held == nil {
		l.held, l.cond = map[int]bool{}, sync.NewCond(&l.mu)
	}
	for slices.ContainsFunc(tgids, l.taken) {
		if !ever && slices.ContainsFunc(tgids, func(t int) bool { return l.held[t] }) {
			return false
		}
		l.cond.Wait()
	}
	for _, t := range tgids {
		l.held[t] = false
	}
	return true
}

// taken reports whether a worker has the process. Precondition: mu is held.
func (l *locks) taken(tgid int) bool {
	_, taken := l.held[tgid]
	return taken
}

// stick says whether processes that the worker has may never be free.
func (l *locks) stick(stuck bool, tgids ...int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range tgids {
		if l.taken(t) {
			l.held[t] = stuck
		}
	}
	l.cond.Broadcast()
}

// try takes a process if it is free.
func (l *locks) try(tgid int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.taken(tgid) {
		return false
	}
	l.held[tgid] = false
	return true
}

// unlock gives them back.
func (l *locks) unlock(tgids ...int) {
	if len(tgids) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range tgids {
		delete(l.held, t)
	}
	l.cond.Broadcast()
}
