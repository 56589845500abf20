// SPDX-License-Identifier: Apache-2.0

package listen

import "golang.org/x/sys/unix"

const (
	// nativeArch is the seccomp_data.arch of a 64-bit (and an x32) call.
	nativeArch = unix.AUDIT_ARCH_X86_64
	// NrCloneat is cloneat's number.
	NrCloneat = 511
)
