// SPDX-License-Identifier: Apache-2.0

package abi

import (
	"os"
	"regexp"
	"sync"
)

// TASK_SIZE_MAX with four and with five levels of page tables: the last page of
// the lower half is never mapped (arch/x86/include/asm/page_64.h).
const (
	limit4Level = 1<<47 - 4096
	limit5Level = 1<<56 - 4096
)

var la57 = regexp.MustCompile(`(?m)^flags\s*:.*\bla57\b`)

// addressLimit is the first address that access_ok() refuses. The kernel shows
// la57 among the CPU's flags only where it uses five levels.
var addressLimit = sync.OnceValue(func() uint64 {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err == nil && la57.Match(info) {
		return limit5Level
	}
	return limit4Level
})

// AddressLimit is the first address that is no user's: what access_ok() and
// ARCH_SET_FS refuse.
func AddressLimit() uint64 { return addressLimit() }
