// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"time"

	"github.com/sirupsen/logrus"

	"cloneat-emu/emu/abi"
)

// Config says how a [Server] serves calls. The zero value is the usual one.
type Config struct {
	// Engine forces a way to make the child: "auto" (or ""), "self",
	// "shared", "init", "transplant". A call that it cannot serve fails with
	// EOPNOTSUPP.
	Engine string
	// PIDDriver forces a way to get an exact pid: "auto" (or ""), "set_tid",
	// "ns_last_pid".
	PIDDriver string
	// BestEffort lets a call succeed that leaves something of the target in
	// the child; what is left over is logged (the spec's section 5).
	BestEffort bool
	// Log gets what a person debugging wants to know; nil discards.
	Log *logrus.Logger
	// OnEvent, if set, is called once a call, right before its result is delivered,
	// from the goroutine that served it.
	OnEvent func(Event)

	fault string // see onStep
}

// Event is one served call.
type Event struct {
	// Name is the call's: "cloneat", or that of a prototype.
	Name string
	// Caller is the calling thread, in the supervisor's pid namespace.
	Caller int
	// Pid and Hint are the arguments as the caller gave them.
	Pid, Hint int
	// Args are the decoded arguments; nil where they could not be read.
	Args *abi.Args
	// ArgsPtr is the address that the caller passed.
	ArgsPtr uint64
	// Result is the child's id in the caller's pid namespace, or -errno.
	Result int64
	// Engine is the way the child was made; empty where none was.
	Engine string
	// Duration is the time from the receipt of the call to its end.
	Duration time.Duration
	// Pages and Bytes were copied into the child.
	Pages, Bytes uint64
	// Cause says in words why the call failed where the number does not.
	Cause string
}
