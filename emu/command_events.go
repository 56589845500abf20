// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"errors"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"cloneat-emu/ptrace"

	"cloneat-emu/emu/launch"
)

// report is what the operator tells the front: an event, or that the program has ended.
type report struct {
	Event *Event `json:",omitempty"`
	End   bool   `json:",omitempty"`
	Busy  bool   `json:",omitempty"` // calls of what the program left running are under way
	Lost  uint64 `json:",omitempty"` // events dropped because the front did not read
}

// eventStream reads the operator's reports.
type eventStream struct {
	busy  atomic.Bool   // the operator stays for a while
	ended chan struct{} // the End came, or over
	over  chan struct{} // the operator is gone, or busy
}

// newEventStream reads reports from sock, which it owns.
func newEventStream(sock int, event func(Event), lost func(n uint64)) *eventStream {
	s := &eventStream{ended: make(chan struct{}), over: make(chan struct{})}
	go func() {
		defer unix.Close(sock)
		end, over := sync.OnceFunc(func() { close(s.ended) }), sync.OnceFunc(func() { close(s.over) })
		defer over()
		defer end()
		for {
			var r report
			if err := launch.Read(sock, &r); err != nil {
				return
			}
			if r.Event != nil {
				event(*r.Event)
			}
			lost(r.Lost)
			if r.End {
				end()
			}
			if r.Busy {
				s.busy.Store(true)
				over()
			}
		}
	}()
	return s
}

// drain waits until the program has ended and, unless the operator lingers, until it
// has told all its events, or is busy with calls of what the program left running.
func (s *eventStream) drain(linger bool) {
	<-s.ended
	if !linger {
		<-s.over
	}
}

// mourn tells of a supervisor that was killed before the program's end: one that gives up says why
// itself. Its status stays for who waits for it.
func (c *Cmd) mourn() {
	<-c.events.over
	var info unix.Siginfo
	err := error(unix.EINTR)
	for errors.Is(err, unix.EINTR) {
		err = unix.Waitid(unix.P_PID, c.first, &info, unix.WEXITED|unix.WNOWAIT, nil)
	}
	if over, _ := c.Ended(); !over && err == nil && (info.Code == ptrace.Killed || info.Code == ptrace.Dumped) {
		c.OnKilled()
	}
}

// event counts an event and passes it on.
func (c *Cmd) event(e Event) {
	c.stats.add(e)
	if c.Config.OnEvent != nil {
		c.Config.OnEvent(e)
	}
}

// Stats summarises the calls that were served so far.
func (c *Cmd) Stats() Stats { return c.stats.summary() }
