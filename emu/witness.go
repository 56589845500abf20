// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"io"
	"os"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/launch"
)

// Descriptors of a witness; what Cmd.Witness.ExtraFiles had comes behind them.
const (
	witnessEvents = 3 // socket of the operator's reports
	witnessEnd    = 4 // pipe: closed when the program has ended
)

// startWitness starts the process that reads the reports of sock in this one's
// place. The stream that it returns knows the program's end, and no more.
func (c *Cmd) startWitness(sock int) (*eventStream, error) {
	reports := os.NewFile(uintptr(sock), "events")
	defer reports.Close()
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer w.Close()
	c.Witness.ExtraFiles = append([]*os.File{reports, w}, c.Witness.ExtraFiles...)
	if err := c.Witness.Start(); err != nil {
		r.Close()
		return nil, err
	}
	s := &eventStream{ended: make(chan struct{}), over: make(chan struct{})}
	go func() {
		_, _ = io.Copy(io.Discard, r)
		r.Close()
		close(s.ended)
		close(s.over)
		_ = c.Witness.Wait()
	}()
	return s, nil
}

// Witness is what a [Cmd.Witness] does: it hears of every call that is served,
// until the last of what the program left has ended, and returns their sum.
func Witness(event func(Event)) Stats {
	var sum collector
	for {
		var r report
		if launch.Read(witnessEvents, &r) != nil {
			return sum.summary()
		}
		if r.Event != nil {
			sum.add(*r.Event)
			event(*r.Event)
		}
		sum.miss(r.Lost)
		if r.End {
			unix.Close(witnessEnd)
		}
	}
}
