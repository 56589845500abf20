// SPDX-License-Identifier: Apache-2.0

package transplant

import "time"

// failed is told why a child is not to be. Whoever works for it is killed; if it does not even end
// by that, nobody but us is to wait for it.
func (b *build) failed(err error) {
	const soon = time.Second
	worker := b.c
	if b.hand != nil {
		worker = b.hand.Stopped
	} else if b.snap.others.Ends != nil {
		b.snap.others.Ends(b.c)
	}
	if !worker.DieWithin(soon) && b.snap.others.Stuck != nil {
		_ = b.snap.Release()
		b.snap.others.Stuck(worker.TID, err)
	}
}
