// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"sync"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/launch"
)

// reporter sends reports to the front without ever letting a call wait for it: the
// front may be stopped. What it does not read is kept up to a bound, then dropped and
// counted.
type reporter struct {
	sock  int
	bound int // of the queue
	mu    sync.Mutex
	more  *sync.Cond
	queue []report
	lost  uint64
	over  bool
	done  chan struct{}
}

// maxQueued bounds the reports that wait for the front.
const maxQueued = 1 << 16

func newReporter(sock int) *reporter {
	r := &reporter{sock: sock, bound: maxQueued, done: make(chan struct{})}
	r.more = sync.NewCond(&r.mu)
	go r.send()
	return r
}

func (r *reporter) event(e Event) { r.add(report{Event: &e}) }

// end marks the place in the stream where the program had ended.
func (r *reporter) end() { r.add(report{End: true}) }

// busy tells the front not to wait: the operator has calls to finish.
func (r *reporter) busy() { r.add(report{Busy: true}) }

func (r *reporter) add(rep report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) >= r.bound && rep.Event != nil {
		r.lost++
		return
	}
	rep.Lost, r.lost = r.lost, 0
	r.queue = append(r.queue, rep)
	r.more.Signal()
}

// close sends what is queued and ends the stream.
func (r *reporter) close() {
	r.mu.Lock()
	if r.over = true; r.lost > 0 {
		r.queue = append(r.queue, report{Lost: r.lost})
	}
	r.more.Signal()
	r.mu.Unlock()
	<-r.done
}

// send is the goroutine that may block.
func (r *reporter) send() {
	defer close(r.done)
	defer unix.Close(r.sock)
	for {
		batch, over := r.take()
		for _, rep := range batch {
			if launch.Write(r.sock, rep) != nil {
				return // the front is gone
			}
		}
		if over {
			return
		}
	}
}

// take waits for reports.
func (r *reporter) take() (batch []report, over bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.queue) == 0 && !r.over {
		r.more.Wait()
	}
	batch, r.queue = r.queue, nil
	return batch, r.over
}
