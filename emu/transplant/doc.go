// SPDX-License-Identifier: Apache-2.0

// Package transplant turns a stopped fresh child of the target into a clone of
// the caller.
//
// # The idea
//
// A stock kernel lets nobody be born below a foreign parent. So the target is
// made to fork a child C (the engine's work), and before C runs an instruction
// of the target's, everything in it that fork(2) would have copied from the
// caller is replaced by the caller's: [Take] reads the caller once, while it
// is stopped, and [Snapshot.Build] rebuilds C after it. What is left of the
// target in C is what the call asks for: its parent and its namespaces.
//
// Nothing is written to the caller. What /proc does not tell about it (its
// dispositions, its prctl(2) settings) it is asked itself, by one batch of
// calls in an area mapped for that and unmapped before its mappings are read.
//
// # Who works
//
// The operator (this process) reads the caller and hands descriptors to C:
// mapped files, open files, directories. C makes a socketpair, the operator
// takes one end by pidfd_getfd(2) and sends by SCM_RIGHTS; that works across
// every kind of namespace, and needs no number or path that both sides know.
// C itself makes the calls that only a process can make for itself; they are
// queued in a [script] and run in few stops: what a run tells is looked at after
// it, and the numbers of descriptors that are sent are known before. A long run is
// launched and waited for later: meanwhile the operator reads what the next one needs.
//
// # Order
//
// [Snapshot.Build] is one ordered list of steps. What decides the order:
// C's inherited rseq(2) area is given up by the first script, while it is still
// mapped; C is made non-dumpable before anything of the caller's comes in,
// so that the target's user can neither trace nor read it (and gets new memory
// by an exec, where the caller is not dumpable: what was opened before stays open);
// memory comes before
// descriptors, because their numbers are used on the way; limits are relaxed
// first and set last; credentials are given up when nothing is left to do that
// needs them; registers come at the very end.
//
// # What cannot be had
//
// Refused as [Unsupported], because a child of the target cannot shed or get it
// (BestEffort leaves it): 32-bit code, seccomp filters and no_new_privs of the target's, a
// smaller bounding set, locked securebits, another user namespace, another
// session keyring or a security label that C may not change, a Landlock domain, PR_SET_MDWE, a sealed
// vdso, lower hard limits without CAP_SYS_RESOURCE, rules for io_uring. Of the caller's: such rules,
// calls whose return a uretprobe traces, shadow
// stacks, secret memory (memfd_secret), device memory, rings of AIO, io_uring
// and perf, because their mmap(2) ties them to the process or to an inode that
// cannot be opened.
//
// Left as it is, and a difference: the audit session (/proc/PID/sessionid), the
// default that PR_SET_TIMERSLACK 0 goes back to, where mmap(2) looks for room
// (mm->mmap_base), requested keys that go to a thread's or process's keyring, iopl(2),
// inherited counters of perf_event_open(2), userfaultfd with UFFD_FEATURE_EVENT_FORK, and the marks of the rebuilding itself:
// processor time, page faults, the peak of mapped memory, the size of the table of
// descriptors, PF_SUPERPRIV. A child that had to exec (see climb.go) counts as one
// that did: its parent may not setpgid(2) it. tests/oracle shows them all.
//
// # Tried and dropped
//
// Copying by process_vm_readv(2) and process_vm_writev(2) from outside: every
// page of C is faulted in by get_user_pages(), which is slower than C's own
// page faults, and the bytes are copied twice. process_vm_readv(2) by C itself: it pins
// the pages, and the kernel unshares each that was forked once before it lends it out
// (gup_must_unshare() in mm/internal.h), in the caller; slower and, where somebody has
// them still, a copy of all of the caller's memory. MADV_HUGEPAGE is as fast as
// MADV_COLLAPSE, but cannot be taken off the mapping again.
//
// # Thread rules
//
// Caller and C are tracees of one OS thread, and everything here runs on it.
// The package holds no lock and no state between calls.
package transplant
