// SPDX-License-Identifier: Apache-2.0

// Package launch starts a program under the filter, and stays its parent.
//
// Four processes make a supervised program; each is this executable again, told by
// its argv[0] what it is:
//
//	front      what a person sees, signals and waits for (package emu, Command)
//	  operator   holds the listener, makes all ptrace requests (package emu)
//	    keeper     the program's parent (Keep)
//	      program    which was a stage of ours (exec) until its execve
//
// The operator is an ancestor of the program, so that Yama's ptrace_scope 1 lets it
// attach to what the program starts. It is not the parent: a tracer that is also the
// real parent of its tracee sees trace stops in place of job control stops, and a
// wait by one of its threads can eat what another waits for (wait_consider_task() in
// kernel/exit.c says: "it should create a separate process which takes the role of
// real parent"). That is the keeper, which traces nothing and so sees exactly what a
// shell would: stopped, continued, ended.
//
// All four share the process group that the front was started in, so that the
// program is in the terminal's foreground group whenever the front is.
//
// The exec stage undoes what the Go runtime did to the process (handlers, signal
// mask, the soft limit of descriptors; but one of 0, 1 and 2 that was closed stays the
// /dev/null that the runtime puts there before any code of ours), installs the filter on its only thread that
// survives, hands the listener to the operator and becomes the program.
package launch
