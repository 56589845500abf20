// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/kcmp"
	"cloneat-emu/emu/proc"
	"cloneat-emu/ptrace"
)

// Company are processes that share the caller's memory and are not stopped: an error by
// which the call begins anew, with them among those that are.
type Company struct{ Processes []int }

func (c *Company) Error() string {
	return fmt.Sprintf("processes %v share the caller's memory", c.Processes)
}

// Unwrap is for errors.Is.
func (c *Company) Unwrap() error { return ptrace.ErrAgain }

// askAlone has the kernel say whether another process has the caller's memory:
// unshare(CLONE_VM) does nothing but that (kernel/fork.c, check_unshare_flags()). It
// cannot tell those from threads.
func (s *Snapshot) askAlone(script *script, alone *ptrace.Result) {
	alone.Errno = unix.EINVAL
	if s.status.Threads == 1 && s.status.SeccompFilters <= ptrace.CommonFilters() {
		script.ask(alone, "unshare", unix.SYS_UNSHARE, unix.CLONE_VM)
	}
}

// checkCompany looks for processes that share the caller's memory, and so could change it
// while it is copied. Where the target does, the kernel makes the copy.
func (s *Snapshot) checkCompany(alone ptrace.Result) error {
	if alone.Errno == 0 || s.others.KeepsMemory {
		return nil
	}
	all, err := proc.Processes()
	if err != nil {
		return err
	}
	var found []int
	for _, pid := range all {
		if pid == s.status.Tgid {
			continue
		}
		if same, err := kcmp.Same(s.caller.TID, pid, kcmp.VM); same && err == nil {
			found = append(found, pid)
		}
	}
	for _, pid := range found {
		if !slices.Contains(s.others.Company, pid) {
			return &Company{found}
		}
	}
	return nil
}
