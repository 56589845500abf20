// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"runtime"
	"sync"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/listen"
	"cloneat-emu/internal/threads"
)

// pool are the threads that serve calls. Several wait for calls at a time, in
// the kernel, where one receives each; that one serves the call itself, so that
// no call is handed from thread to thread. A worker that finds nobody else
// waiting starts another before it serves.
//
// A worker that waits cannot be told to end (Linux 6.11 wakes it when nobody has
// the filter any more, before that nothing does): the pool is over when no call
// is being served, and what still waits answers late calls as the kernel does
// for a listener that is gone.
type pool struct {
	receive func() (listen.Notification, error)
	serve   func(listen.Notification) bool
	refuse  func(listen.Notification)

	mu   sync.Mutex // guards what follows; nothing else is locked under it
	idle int        // workers that wait for a call
	all  int        // workers
	more int        // threads that were made for workers beyond sureWorkers
	now  int        // calls that are being served
	over bool
	rid  sync.Cond // of mu: now is 0
}

// maxIdle is how many workers are kept for the next calls. Not more: since Linux 6.6
// a call wakes all that wait for one, on the caller's processor, and those that it is
// not for are in the others' way.
const maxIdle = minIdle + 1

// minIdle is how many wait at least, so that a burst is received at once.
const minIdle = 2

// workerNice is the nice value of the threads that serve.
const workerNice = -10

// open starts the first workers.
func (p *pool) open() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rid.L = &p.mu
	p.fill()
}

// close ends the pool: calls that are being served end, others are refused.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
	for p.now > 0 {
		p.rid.Wait()
	}
}

// fill starts workers until enough wait. Beyond those for which there are threads there
// has to be room for one; if not, callers wait until a worker is free. Precondition: mu is
// held.
func (p *pool) fill() {
	for ; p.idle < minIdle; p.idle++ {
		if p.all >= sureWorkers+p.more {
			if !threads.Room() {
				return
			}
			p.more++
		}
		p.all++
		go p.work()
	}
}

// left is told of a worker that ends, and reports whether its thread is one too many. There
// may have been no room for another worker before.
func (p *pool) left() (tooMany bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if tooMany = p.more > 0; tooMany {
		p.more--
	}
	if p.all--; !p.over {
		p.fill()
	}
	return tooMany
}

// sureWorkers can always be had: there are threads for so many (reserveThreads).
const sureWorkers = 8

// mostProcs bounds how many of the operator's threads run at a time.
const mostProcs = 16

// reserveThreads makes the threads that this process can always have: workers', the
// runtime's own, and some for what takes one for a moment.
func reserveThreads() {
	const moments = 8
	if runtime.GOMAXPROCS(0) > mostProcs {
		runtime.GOMAXPROCS(mostProcs)
	}
	threads.Reserve(sureWorkers + runtime.GOMAXPROCS(0) + moments)
}

// work is a worker's life. After a burst there are as few as before, but threads for
// sureWorkers stay for the next one: there may be no room for others then. One that is no
// good any more ends.
func (p *pool) work() {
	runtime.LockOSThread()
	// A caller can be hit by a signal until its call is received, and waits
	// until it is served. Without the right to it, the priority stays.
	old := niceness()
	_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), workerNice)
	for {
		n, err := p.receive()
		if err != nil {
			return // nobody has the filter any more
		}
		if !p.take() {
			p.refuse(n)
			continue
		}
		good := p.serve(n)
		p.served()
		switch {
		case !good:
			p.left()
			go threads.Renew() // when this one has ended
			return
		case p.rest():
		case p.left():
			return
		default:
			_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), old)
			runtime.UnlockOSThread()
			return
		}
	}
}

// niceness is the calling thread's.
func niceness() int {
	const zero = 20 // what the system call returns for a nice value of 0, and less for a higher one
	raw, err := unix.Getpriority(unix.PRIO_PROCESS, unix.Gettid())
	if err != nil {
		return 0
	}
	return zero - raw
}

// take reports whether a received call is to be served.
func (p *pool) take() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return false
	}
	p.now++
	p.idle--
	p.fill()
	return true
}

// served is the end of a call that take has counted.
func (p *pool) served() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now--; p.now == 0 {
		p.rid.Broadcast()
	}
}

// leave has nobody wait for the calling worker, whose call is over, until resume.
func (p *pool) leave() { p.served() }

// resume is for a worker that has left, before it ends its call.
func (p *pool) resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now++
}

// serving reports whether a call is being served.
func (p *pool) serving() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now > 0
}

// rest reports whether a worker that has served is to wait for the next call.
func (p *pool) rest() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.idle >= maxIdle {
		return false
	}
	p.idle++
	return true
}
