// SPDX-License-Identifier: Apache-2.0

package rights

import (
	"fmt"
	"os"
	"strings"
	"sync"
)

// visible reports whether a uid that the kernel showed is one, and not the
// number that it shows for all those without one here: two of the latter need
// not be the same user.
func visible(uid uint32) bool { return view().shows(uid) }

func (v uidView) shows(uid uint32) bool { return uid != v.overflow || covers(v.uidMap, uid) }

type uidView struct {
	overflow uint32
	uidMap   string
}

// view is how the kernel shows uids to this process. Files that cannot be read
// (they always can) leave nothing mapped, which errs to the safe side.
var view = sync.OnceValue(func() uidView {
	v := uidView{overflow: 65534}
	if b, err := os.ReadFile("/proc/sys/kernel/overflowuid"); err == nil {
		fmt.Sscan(string(b), &v.overflow)
	}
	b, _ := os.ReadFile("/proc/self/uid_map")
	v.uidMap = string(b)
	return v
})

// covers reports whether a uid is among those of the text of a uid_map.
func covers(uidMap string, uid uint32) bool {
	for line := range strings.Lines(uidMap) {
		var inside, outside, count uint64
		if n, _ := fmt.Sscan(line, &inside, &outside, &count); n != 3 {
			continue
		}
		if uint64(uid) >= inside && uint64(uid)-inside < count {
			return true
		}
	}
	return false
}
