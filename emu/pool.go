package emu

import (
	"runtime"
	"sync"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/listen"
)

// pool are the threads that serve calls. One of them waits for the next call,
// and serves it itself, so that no call is handed from thread to thread; before
// that it sees to it that another waits in its place.
//
//	worker A: waits, receives, starts or wakes B, serves, waits for its turn
//	worker B:                          waits, receives, ...
type pool struct {
	turn sync.Mutex // held by the worker that waits for a call
	mu   sync.Mutex // guards idle and err; nothing else is locked under it
	idle int        // workers that wait for their turn or for a call
	err  error      // why no more calls are received
	all  sync.WaitGroup
}

// maxIdle is how many workers are kept for the next calls.
const maxIdle = 4

// workerNice is the nice value of the threads that serve.
const workerNice = -10

// run receives and serves until receive fails, and all calls have ended. serve
// reports whether the thread may serve another call.
func (p *pool) run(receive func() (listen.Notification, error), serve func(listen.Notification) bool) error {
	p.start(receive, serve)
	p.all.Wait()
	return p.err
}

func (p *pool) start(receive func() (listen.Notification, error), serve func(listen.Notification) bool) {
	p.idle++
	p.all.Add(1)
	go p.work(receive, serve)
}

// work is a worker's life. Where it ends without unlocking, the thread ends.
func (p *pool) work(receive func() (listen.Notification, error), serve func(listen.Notification) bool) {
	defer p.all.Done()
	runtime.LockOSThread()
	// A caller can be hit by a signal until its call is received, and waits
	// until it is served. Without the right to it, the priority stays.
	_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), workerNice)
	for {
		n, ok := p.next(receive)
		if !ok {
			runtime.UnlockOSThread()
			return
		}
		p.mu.Lock()
		p.idle--
		if p.idle == 0 {
			p.start(receive, serve)
		}
		p.mu.Unlock()
		if !serve(n) {
			return
		}
		p.mu.Lock()
		if p.idle >= maxIdle {
			p.mu.Unlock()
			runtime.UnlockOSThread()
			return
		}
		p.idle++
		p.mu.Unlock()
	}
}

// next takes this worker's turn to wait for a call.
func (p *pool) next(receive func() (listen.Notification, error)) (listen.Notification, bool) {
	p.turn.Lock()
	defer p.turn.Unlock()
	p.mu.Lock()
	over := p.err != nil
	p.mu.Unlock()
	if over {
		return listen.Notification{}, false
	}
	n, err := receive()
	if err == nil {
		return n, true
	}
	p.mu.Lock()
	p.err = err
	p.mu.Unlock()
	return n, false
}
