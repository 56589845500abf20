// SPDX-License-Identifier: Apache-2.0

package transplant

import "golang.org/x/sys/unix"

// pauseNr is the call that pause(3) makes: there is no pause(2).
const pauseNr = unix.SYS_PPOLL
