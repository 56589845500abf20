// SPDX-License-Identifier: Apache-2.0

// Package emu is cloneat(2) for kernels that do not have it: a server that
// answers the calls of all processes under one seccomp filter.
//
// # The idea
//
// A call arrives as a seccomp notification. Its arguments are read, the checks
// of the specification are made in their order (packages abi and check), and an
// engine makes the child:
//
//   - self: the caller makes the call itself, as clone(2) or clone3(2);
//   - init: the target is init of a pid namespace, which adopts a copy that the
//     kernel makes of the caller (init.go);
//   - shared, transplant: the target makes a child that is rebuilt into a copy
//     of the caller (transplant.go, package transplant).
//
// Other calls than cloneat can be served, too (calls.go); only a program that
// asks for them gets them.
//
// Nobody is traced but while a call of theirs, or to them, is served.
//
// # If the supervisor dies
//
// The kernel detaches its tracees where they stand and closes the listener. A
// caller that waits gets ENOSYS. One that was stopped makes its call again,
// since its registers are left alone until there is a result, and gets ENOSYS.
// A child in the making has PTRACE_O_EXITKILL and dies. A target that runs an
// injected call is healed by the code that follows it (package ptrace, guard); one that was
// stopped in a call that the kernel does not make again (the EINTR of signal(7)) has it made again,
// unless the supervisor dies in the moment before it has seen the stop; a
// thread of ours in the caller ends, and reaps what it made. A process that shows the caller's
// descriptors (lend.go in package transplant) ends, and stays a zombie of the caller's, which is
// told nothing. A frozen target that has to reap a child that is not to be (behind.go) does so when
// it is thawed, but has its SIGCHLD. The tests let the operator die at each named step (step.go) and
// at random instants (tests/stress), and attack whom it serves at each step (attack_test.go).
//
// # Thread rules and lock order
//
// Every call is served by a goroutine locked to its OS thread, which makes all
// ptrace requests for it (package ptrace). If a tracee could not be let go, the
// thread ends, and the kernel lets it go.
//
// A worker first takes the processes that it attaches to (locks, all at once; one more, above
// those, in heir.go), then the mutex of waiting for single steps. Nothing is called under a mutex.
package emu
