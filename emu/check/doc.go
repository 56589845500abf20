// SPDX-License-Identifier: Apache-2.0

// Package check judges a call: rows 7 to 14 of the list of errors in section 4
// of the specification. Rows 1 to 6 need only the arguments and are those of
// package abi; rows 15 to 20 are the answers of the kernel that makes the
// child.
//
// [Call.Check] runs the list that is called rows, in order, until one says no.
// A row is a small function of its own; what one finds out (the target, its
// thread, the namespaces that differ) is kept in the [Call] for the next and for
// the engines.
//
// Numbers. The caller speaks in the numbers of its own pid namespace, the
// supervisor in those that its /proc shows. All ids in this package are the
// supervisor's, but for Call.Pid and Call.Hint.
//
// Identity. The caller waits in its call, so its number stays its own. The
// target's number is turned into an open directory of /proc and a pidfd, which
// stand for one process for ever, before anything is asked about it.
//
// Moments. A target can exit, exec, change its namespaces or lose its parent
// between two rows. Where that matters an engine asks again when the target is
// stopped; here it only decides which of two right answers is given.
//
// Threads. A Call belongs to one goroutine. The package holds no lock.
package check
