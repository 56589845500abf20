// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"testing"

	"cloneat-emu/emu/launch"
)

// TestReportsNotRead: calls that were dropped because nobody read are counted, whether or not
// there was another report behind them.
func TestReportsNotRead(t *testing.T) {
	ours, theirs, err := launch.Pair()
	if err != nil {
		t.Fatal(err)
	}
	const bound = 100
	const calls = 2*bound + 5000 // the sender holds as many as the queue, the socket some
	r := newReporter(ours)
	r.bound = bound
	for range calls {
		r.event(Event{Name: "cloneat"})
	}
	closed := make(chan struct{})
	go func() { r.close(); close(closed) }()
	var sum collector
	<-newEventStream(theirs, sum.add, sum.miss).over
	<-closed
	if s := sum.summary(); s.Lost == 0 || uint64(s.Calls)+s.Lost != calls {
		t.Errorf("%d calls and %d lost, of %d", s.Calls, s.Lost, calls)
	}
}
