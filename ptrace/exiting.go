// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"bytes"
	"strconv"
)

// exiting reports whether a thread's end is under way. That of a pid namespace's init waits for all
// in there, and so for tracees of this thread that nobody else can reap (zap_pid_ns_processes() in
// kernel/pid_namespace.c): who waits for it waits for itself.
func exiting(tid int) bool {
	const pfExiting, flags = 0x4, 6 // PF_EXITING in include/linux/sched.h; behind the name
	b, err := readProc(tid, "stat")
	if err != nil {
		return false
	}
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(fields) <= flags {
		return false
	}
	f, err := strconv.ParseUint(string(fields[flags]), 10, 64)
	return err == nil && f&pfExiting != 0
}
