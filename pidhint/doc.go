// Package pidhint makes a child get an exact pid in a pid namespace.
//
// Two drivers do it. [SetTID] passes the number to clone3(2) (set_tid, Linux
// 5.5): it is exact, leaves the namespace's cursor alone, and fails with EEXIST
// where the number is taken. [LastPID] sets the cursor (/proc/sys/kernel/ns_last_pid)
// to the number before, makes the child, looks what it got, and if somebody was
// quicker drops it and tries again; it is for a process that may not use
// set_tid, since the right to do so is asked of whoever clones. The cursor acts
// on the WRITER's pid namespace, so that a helper has to live there.
//
// A driver knows nothing of who clones: a [Maker] makes a child, tells its
// number, and drops it without a trace. Drivers hold no locks and no state.
package pidhint
