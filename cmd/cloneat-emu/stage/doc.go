// SPDX-License-Identifier: Apache-2.0

// Package stage runs system calls in a process that has no runtime.
//
// A Go process must not be cloned: its threads, and with them its scheduler and
// its collector, do not come along. Whatever has to be born, enter namespaces
// and become something else is therefore a stage: 600 bytes of machine code
// (asm/stage_amd64.S, kept assembled beside it) that makes the system calls it is
// told to make. It shares a piece of memory with us, in which every task has a
// slot; an order is a number and six arguments, and a futex on either side.
//
//	us                              a task of the stage
//	write nr, args, child; seq++
//	wake seq ---------------------> syscall
//	                                ret, ack = seq      (and a new task, if the
//	wait for ack <----------------- wake ack             call makes one, goes on
//	                                                     with the slot child)
//
// What needs no decision in between is given as a list of calls ([Entry]), even
// to a task that is not born yet: its birth is then followed by its own calls
// without a word from us.
//
// All decisions, and everything that can go wrong, stay on our side, where they
// can be written in Go. Addresses in orders are those of the shared memory
// ([Machine.Bytes]), which every task maps at the same place until it execs or
// idles ([Task.Idle]).
//
// If we die, tasks that wait for an order do so for ever, or end, see [Machine.Own].
//
// One goroutine gives orders to a [Task] at a time; different tasks may be
// driven side by side. The [Machine]'s allocator has a lock of its own, under
// which nothing else is taken.
package stage
