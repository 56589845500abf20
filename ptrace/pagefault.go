// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"bytes"
	"fmt"
	"time"
)

// AwaitPage waits until a thread that is about to be interrupted waits, in a system call,
// for no page that userfaultfd(2) has to provide: ErrBusy after half a second. Interrupted
// there, the thread would not stop, but ask for the page again and again, and never sleep
// until it comes: only a fatal signal ends a fault in the kernel (fault_signal_pending() in
// include/linux/sched/signal.h, handle_userfault() in fs/userfaultfd.c). A fault of the
// program itself stops like any sleep. Where /proc/TID/wchan tells nothing (without
// CONFIG_KALLSYMS), nothing is waited for.
func AwaitPage(tid int) error {
	for end := time.Now().Add(deepBound); wantsPage(tid); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			return fmt.Errorf("pid %d waits in a system call for a page that user space has to provide (userfaultfd): %w",
				tid, ErrBusy)
		}
	}
	return nil
}

// wantsPage looks at the call first: the kernel gives it out when a thread that is about to sleep
// does so (wait_task_inactive() in kernel/sched/core.c).
func wantsPage(tid int) bool {
	call, err := readProc(tid, "syscall")
	if err != nil || bytes.HasPrefix(call, []byte("running")) || bytes.HasPrefix(call, []byte("-1 ")) {
		return false
	}
	at, err := readProc(tid, "wchan")
	return err == nil && string(at) == "handle_userfault"
}
