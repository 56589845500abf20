// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// An affinity mask has to have room for every processor that this kernel could have, or
// sched_getaffinity(2) is EINVAL; how many those are nothing tells (nr_cpu_ids).
const (
	usualCPUs = 1024
	mostCPUs  = 1 << 16 // more than any NR_CPUS
)

// affinityOf reads a thread's mask into room for so many processors, or for more if the
// kernel asks for it.
func affinityOf(tid int, room unix.CPUSetDynamic) (unix.CPUSetDynamic, error) {
	for {
		err := unix.SchedGetaffinityDynamic(tid, room)
		cpus := 64 * len(room)
		if errors.Is(err, unix.EINVAL) && cpus < mostCPUs {
			room = unix.NewCPUSet(max(usualCPUs, 2*cpus))
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("sched_getaffinity of pid %d: %w", tid, err)
		}
		return room, nil
	}
}

func setAffinity(tid int, want unix.CPUSetDynamic) error {
	if err := unix.SchedSetaffinityDynamic(tid, want); err != nil {
		return fmt.Errorf("sched_setaffinity of pid %d: %w", tid, err)
	}
	return nil
}
