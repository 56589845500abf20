// SPDX-License-Identifier: Apache-2.0

// Package pidhint makes a child get an exact pid in a pid namespace.
//
// Two drivers do it. [SetTID] passes the number to clone3(2) (set_tid, Linux
// 5.5): it is exact, leaves the namespace's cursor alone, and fails with EEXIST
// where the number is taken. [LastPID] sets the cursor (/proc/sys/kernel/ns_last_pid)
// to the number before, makes the child, looks what it got, and if somebody was
// quicker drops it and tries again; it is for a process that may not use
// set_tid, since the right to do so is asked of whoever clones.
//
// The cursor acts on the WRITER's pid namespace, and whether a number is taken
// is best asked there as well. So LastPID sends visitors: forks of this process,
// born in the namespace, that make a few raw calls and are gone before the child
// is made. A helper that stayed would hold a number, and each of its threads
// one more.
//
// # What ns_last_pid does to the cursor
//
// The cursor is the number that the namespace gave out last; the next process
// gets the first free one behind it. A visitor moves it by one, the hint to just
// before the wanted number, the child to that number. Afterwards LastPID puts
// it where it was before the first visitor, if it still stands where the child
// left it. If others forked meanwhile it stays: they and whoever comes next have
// numbers behind the hint, as if the namespace had counted up to there, and it
// goes on from 300 when it has reached pid_max. A clone that fails after its
// number was allocated, and a visitor that is killed, leave it moved as well.
// Nobody gets a number twice by this: the kernel never gives one that is in use.
//
// While it tries, processes in the namespace may see a visitor (parent 0), and
// the numbers behind the cursor go to whoever forks then. A child under a wrong
// number exists, stopped, until it is dropped.
//
// Others in the namespace are also the threads of whoever uses this package, if
// it lives there: one that the Go runtime makes between cursor and clone keeps
// the wanted number, which is EEXIST then. LastPID has spare threads made before,
// so that this is rare; it cannot be ruled out.
//
// A driver knows nothing of who clones: a [Maker] makes a child, tells its
// number, and drops it without a trace. Drivers hold no locks and no state.
// A Maker's methods run on the goroutine that called Make (a tracee belongs to
// one thread); visitors are sent from a thread of their own, whose namespace for
// children is changed and which ends with the call.
package pidhint
