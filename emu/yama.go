// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"errors"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// The Yama security module can forbid tracing to all, or to all without CAP_SYS_PTRACE in the user
// namespace of the tracee (yama_ptrace_access_check() in security/yama/yama_lsm.c). A supervisor
// could serve no call then: each would be EBUSY.

// mayTrace says why the supervisor may trace nobody. With own namespaces it has the capability
// over what runs in them.
func mayTrace(ownNS bool) error {
	scope, err := os.ReadFile("/proc/sys/kernel/yama/ptrace_scope")
	if err != nil {
		return nil // no Yama, or nobody says
	}
	mighty := ownNS
	if st, err := statusOf(os.Getpid()); err == nil && st.Capable(unix.CAP_SYS_PTRACE) {
		mighty = true
	}
	return yamaForbids(strings.TrimSpace(string(scope)), mighty)
}

func yamaForbids(scope string, mighty bool) error {
	switch {
	case scope == "3":
		return errors.New("nobody may trace on this machine until it is booted again (kernel.yama.ptrace_scope is 3), and the supervisor works by that")
	case scope == "2" && !mighty:
		return errors.New("it takes CAP_SYS_PTRACE to trace on this machine (kernel.yama.ptrace_scope is 2), and the supervisor works by that: be root, or try --userns")
	}
	return nil
}
