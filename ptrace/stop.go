// SPDX-License-Identifier: Apache-2.0

package ptrace

import "golang.org/x/sys/unix"

// Kind is what brought a tracee to a stop. Statuses are decoded here and
// nowhere else.
type Kind int

// The kinds of stop. See ptrace(2), "Stopped states".
const (
	Ended     Kind = iota // exited or killed: no tracee any more
	Signal                // signal-delivery-stop: Sig is about to be delivered
	Syscall               // entry to or exit from a system call
	Event                 // a PTRACE_EVENT_* other than STOP: Event says which
	Interrupt             // stop asked for by PTRACE_INTERRUPT, or a new child's first
	Group                 // group-stop: Sig is the job control signal
)

// Stop is a decoded stop.
type Stop struct {
	Kind  Kind
	Sig   unix.Signal
	Event int
}

// decode takes the code of a stop as waitid(2) gives it: the signal in the low
// byte and the event above (kernel: task->exit_code in a stop).
func decode(code int) Stop {
	sig, event := unix.Signal(code&0xff), code>>8
	switch {
	case event == unix.PTRACE_EVENT_STOP && sig == unix.SIGTRAP:
		return Stop{Kind: Interrupt, Event: event}
	case event == unix.PTRACE_EVENT_STOP:
		return Stop{Kind: Group, Sig: sig, Event: event}
	case event != 0:
		return Stop{Kind: Event, Event: event}
	case sig == unix.SIGTRAP|0x80:
		return Stop{Kind: Syscall}
	}
	return Stop{Kind: Signal, Sig: sig}
}
