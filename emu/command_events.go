package emu

import (
	"sync"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/launch"
)

// report is what the operator tells the front: an event, or that the program has ended.
type report struct {
	Event *Event `json:",omitempty"`
	End   bool   `json:",omitempty"`
	Lost  uint64 `json:",omitempty"` // events dropped because the front did not read
}

// eventStream reads the operator's reports.
type eventStream struct {
	ended chan struct{} // the End came, or over
	over  chan struct{} // the operator is gone
}

// newEventStream reads reports from sock, which it owns.
func newEventStream(sock int, event func(Event)) *eventStream {
	s := &eventStream{ended: make(chan struct{}), over: make(chan struct{})}
	go func() {
		defer unix.Close(sock)
		defer close(s.over)
		end := sync.OnceFunc(func() { close(s.ended) })
		defer end()
		for {
			var r report
			if err := launch.Read(sock, &r); err != nil {
				return
			}
			if r.Event != nil {
				event(*r.Event)
			}
			if r.End {
				end()
			}
		}
	}()
	return s
}

// drain waits until the program has ended and, unless the operator lingers, until it
// has told all its events; calls of what the program left running may take a moment.
func (s *eventStream) drain(linger bool) {
	<-s.ended
	if linger {
		return
	}
	await(s.over, lastCalls)
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
