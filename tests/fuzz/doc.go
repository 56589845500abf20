// SPDX-License-Identifier: Apache-2.0

// Command fuzz draws programs at random, lets the kernel patch and the emulator
// run them, and compares what is to be seen afterwards.
//
//	seed ─► draw ─► batch of programs ─┬─► cloneat-emu run interp ──┬─► compare ─► shrink ─► C
//	                                   └─► patched kernel: interp ──┘
//
// A program is a list of operations (op.go), each carried out by one of the
// processes that the program itself makes; one operation at a time, so that the
// outcome does not depend on time. The interpreter (interp/) runs a batch of
// them, each in a pid namespace of its own, and writes after every operation its
// result and whatever changed of the processes, in names instead of numbers.
//
// It writes only what is there when nothing is under way any more (interp/rest.c
// says how it knows): what it sees in between would be right, too, but not the same
// each time.
//
// Both implementations get the same text. The first step in which they differ
// decides: either a rule (rules.go) recognises one of the differences that the
// manual page lists, or it is a bug; then ever smaller programs are tried as long
// as they still differ (shrink.go), and the smallest is printed as C (source.go).
//
// Everything is determined by the seed: program N of seed S is always the same.
// Programs that once differed, or seemed to, are in testdata/programs and are run
// before those that are drawn.
package main
