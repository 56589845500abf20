package emu

import (
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// A fault is a step: the operator kills or stops itself when it comes to it for the
// second time, when everything that is made only once has been.
func init() {
	var visits atomic.Int32
	onStep = func(step, fault string) {
		at, stops := strings.CutPrefix(fault, stopAt)
		if step != at || visits.Add(1) != 2 {
			return
		}
		sig := unix.SIGKILL
		if stops {
			sig = unix.SIGSTOP
		}
		// To this thread: another one would stop it some time later.
		_ = unix.Tgkill(unix.Getpid(), unix.Gettid(), sig)
	}
}

// stopAt is what a fault begins with that is no death.
const stopAt = "stop at "

// DieAt makes c's operator, which is this test binary again, die at a step.
func (c *Cmd) DieAt(step string) { c.Config.fault = step }

// StopAt makes it stop there, as by SIGSTOP.
func (c *Cmd) StopAt(step string) { c.Config.fault = stopAt + step }

// Operator is its pid. Precondition: c was started without UserNS.
func (c *Cmd) Operator() int { return c.first }
