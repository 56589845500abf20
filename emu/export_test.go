// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// A fault is a step: the operator kills or stops itself when it comes to it for the
// second time, when everything that is made only once has been.
func init() {
	var visits atomic.Int32
	var hold holder
	var call gated
	onStep = func(step, fault string) {
		fault, old := strings.CutPrefix(fault, before69)
		if old && step == "received" {
			forgetThreadPIDFDs()
		}
		if at, ok := strings.CutPrefix(fault, inCall); ok {
			call.step(step, at)
			return
		}
		if at, ok := strings.CutPrefix(fault, holdAt); ok {
			hold.step(step, at)
			return
		}
		at, unprivileged := strings.CutPrefix(fault, without)
		at, stops := strings.CutPrefix(at, stopAt)
		if unprivileged && step == "received" {
			dropSysAdmin()
		}
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

// What a fault begins with that is no death, without the right to suspend filters, and as before
// Linux 6.9.
const (
	stopAt   = "stop at "
	holdAt   = "hold at "
	without  = "unprivileged "
	before69 = "old "
	// One call alone is meant.
	inCall = "in call "
)

// gated follows the steps of one call, of all attempts at it: the first that is received when there
// is a file.
type gated struct {
	open   atomic.Bool
	visits atomic.Int32
}

// step writes down the step where at is "GATE FILE", and stops at "GATE VISIT STEP".
func (g *gated) step(step, at string) {
	gate, at, _ := strings.Cut(at, " ")
	if unix.Access(gate, unix.F_OK) != nil || step != "received" && !g.open.Load() {
		return
	}
	g.open.Store(true)
	visit, name, isStep := strings.Cut(at, " ")
	switch {
	case !isStep:
		note(at, step)
	case step == name && strconv.Itoa(int(g.visits.Add(1))) == visit:
		_ = unix.Tgkill(unix.Getpid(), unix.Gettid(), unix.SIGSTOP)
	}
}

func note(file, step string) {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	fmt.Fprintln(f, step)
}

// holder keeps the first call that comes to a step there until another one is over.
type holder struct {
	held, other atomic.Bool
	over        chan struct{}
	once        sync.Once
}

func (h *holder) step(step, at string) {
	h.once.Do(func() { h.over = make(chan struct{}) })
	switch {
	case step == at && h.held.CompareAndSwap(false, true):
		<-h.over
	case step == "over" && h.held.Load() && h.other.CompareAndSwap(false, true):
		close(h.over)
	}
}

// dropSysAdmin takes CAP_SYS_ADMIN from this thread.
func dropSysAdmin() {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		panic(err)
	}
	data[0].Effective &^= 1 << unix.CAP_SYS_ADMIN
	data[0].Permitted &^= 1 << unix.CAP_SYS_ADMIN
	if err := unix.Capset(&header, &data[0]); err != nil {
		panic(err)
	}
}

// DieAt makes c's operator, which is this test binary again, die at a step.
func (c *Cmd) DieAt(step string) { c.Config.fault = step }

// StopAt makes it stop there, as by SIGSTOP.
func (c *Cmd) StopAt(step string) { c.Config.fault = stopAt + step }

// StopIn makes it stop where the first call that is made when there is a file comes to a step for the
// n-th time.
func (c *Cmd) StopIn(gate, step string, n int) {
	c.Config.fault = fmt.Sprintf("%s%s %d %s", inCall, gate, n, step)
}

// NoteIn makes it write the steps of that call to another file.
func (c *Cmd) NoteIn(gate, file string) { c.Config.fault = inCall + gate + " " + file }

// HoldAt makes its first call that comes to the step wait there until another is over.
func (c *Cmd) HoldAt(step string) { c.Config.fault = holdAt + step }

// Unprivileged takes CAP_SYS_ADMIN from the operator. Precondition: DieAt or StopAt.
func (c *Cmd) Unprivileged() { c.Config.fault = without + c.Config.fault }

// Before69 has the operator find a kernel without pidfds of threads. Precondition: a fault.
func (c *Cmd) Before69() { c.Config.fault = before69 + c.Config.fault }

// HelperForked is the step at which a caller has cloned the helper that hands over its
// descriptors, before the operator knows whom. Only callers whose leader has exited do, before
// Linux 6.9.
const HelperForked = helperForked

// Operator is its pid. Precondition: c was started without UserNS.
func (c *Cmd) Operator() int { return c.first }
