// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Unsupported says why no exact child can be built. It is EOPNOTSUPP.
type Unsupported struct {
	// Cause names what is in the way, for the log.
	Cause string
}

// Error implements error.
func (u *Unsupported) Error() string { return "cannot be transplanted: " + u.Cause }

// Unwrap makes errors.Is(err, unix.EOPNOTSUPP) true.
func (u *Unsupported) Unwrap() error { return unix.EOPNOTSUPP }

func unsupported(format string, args ...any) error {
	return &Unsupported{Cause: fmt.Sprintf(format, args...)}
}
