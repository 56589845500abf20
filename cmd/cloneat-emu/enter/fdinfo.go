// SPDX-License-Identifier: Apache-2.0

package enter

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// parsePid reads the number from a pidfd's fdinfo, pidfd_show_fdinfo().
//
// Errors: ESRCH if the process is gone (-1) or not visible from here (0).
func parsePid(fdinfo []byte) (int, error) {
	for _, l := range strings.Split(string(fdinfo), "\n") {
		if v, ok := strings.CutPrefix(l, "Pid:"); ok {
			pid, err := strconv.Atoi(strings.TrimSpace(v))
			if err == nil && pid <= 0 {
				return 0, fmt.Errorf("pidfd: %w", unix.ESRCH)
			}
			return pid, err
		}
	}
	return 0, fmt.Errorf("pidfd: no Pid in its fdinfo: %w", unix.EINVAL)
}
