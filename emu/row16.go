// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"golang.org/x/sys/unix"

	"cloneat-emu/emu/abi"
	"cloneat-emu/emu/rights"
)

// mayUnshare is row 16 where the kernel does not judge the caller by itself: a
// new namespace takes CAP_SYS_ADMIN in the caller's own user namespace
// (create_new_namespaces in kernel/nsproxy.c), and row 17, since the child gets
// its TLS by the supervisor's hand.
func (c *call) mayUnshare() error {
	if c.args.Has(newNamespaces) {
		cred, err := rights.Of(c.check.Caller.Thread)
		if err != nil {
			return err
		}
		if !cred.Capable(unix.CAP_SYS_ADMIN) {
			return unix.EPERM
		}
	}
	if c.args.Has(unix.CLONE_SETTLS) && c.args.TLS >= abi.AddressLimit() {
		return unix.EPERM // do_arch_prctl_64: ARCH_SET_FS beyond TASK_SIZE_MAX
	}
	return nil
}
