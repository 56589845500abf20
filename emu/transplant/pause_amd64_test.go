// SPDX-License-Identifier: Apache-2.0

package transplant

import "golang.org/x/sys/unix"

// pauseNr is the call that pause(3) makes.
const pauseNr = unix.SYS_PAUSE
