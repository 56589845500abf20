// SPDX-License-Identifier: Apache-2.0

package abi

// AddressLimit is the first address that is no user's, with 48-bit virtual
// addresses, which is what distributions configure (TASK_SIZE_64 in
// arch/arm64/include/asm/processor.h).
func AddressLimit() uint64 { return 1 << 48 }

func addressLimit() uint64 { return AddressLimit() }
