// SPDX-License-Identifier: Apache-2.0

package emu

import "fmt"

// The kernel looks at the target once, and takes what it found. Here the target's clone hands down
// what it has at that moment: what was found out about it before is looked at once more while it
// stands still, and if it has changed the call begins anew.

var errChanged = fmt.Errorf("the target does not share any more what it shared: %w", errAnew)

// asJudged looks at the target, which is stopped.
func (c *call) asJudged() error {
	if !c.check.StillShares() || c.memoryIsSame && !c.sharesMemory() {
		return errChanged
	}
	return c.birthplace()
}
