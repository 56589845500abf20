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
	held map[int]bool // by thread group
}

// lock waits until all processes are free and takes them.
func (l *locks) lock(tgids ...int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held == nil {
		l.held, l.cond = map[int]bool{}, sync.NewCond(&l.mu)
	}
	for slices.ContainsFunc(tgids, func(t int) bool { return l.held[t] }) {
		l.cond.Wait()
	}
	for _, t := range tgids {
		l.held[t] = true
	}
}

// try takes a process if it is free.
func (l *locks) try(tgid int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held[tgid] {
		return false
	}
	l.held[tgid] = true
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
