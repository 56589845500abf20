// SPDX-License-Identifier: Apache-2.0

// Package ptrace works on one stopped tracee at a time: it seizes a thread,
// stops it, reads and writes its registers and memory, makes it run system
// calls that its program never asked for, and lets it go as it was.
//
// # The idea
//
// A tracee is either running or stopped, and the two are different types:
// [Running] can be interrupted and waited for, [Stopped] can be inspected and
// resumed. Resuming a Stopped gives a Running, so that a request to a running
// tracee, which the kernel would answer with ESRCH, does not come up in code
// that compiles and keeps only the newest value.
//
// Calls are injected in a scope, an [Injection]: [Stopped.Begin] saves the
// registers and blocks the tracee's signals, [Injection.Call] runs one call at
// a `syscall` instruction that the tracee already has mapped, and
// [Injection.End] puts everything back, whatever happened between. The system
// call that the tracee was stopped in goes on or restarts as if nothing had
// been (see resume_amd64.go for the cases). A [Batch] runs many calls in one
// stop, by a small program in memory that was mapped into the tracee for it;
// only tracees that may be changed in that way (a child in the making, a
// waiting caller) are used so.
//
// # A tracee that is gone
//
// A tracee can die of SIGKILL at any moment, in every request. That is a
// normal answer: every method may return an error for which [Gone] is true.
//
// # Thread rules
//
// The kernel accepts requests only from the thread that seized. All functions
// here must be called on that thread, locked by runtime.LockOSThread. Waiting
// uses __WALL|__WNOTHREAD on the tracee's own number: other threads' tracees,
// and the children of the Go program that os/exec waits for, are never reaped
// here, but for one case (executed.go).
//
// The package shares little state: which slots are being claimed and where vdsos were
// seen (one mutex each; nothing is locked under either), and how long waiting pays.
package ptrace
