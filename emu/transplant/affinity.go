// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"errors"
	"fmt"
	"slices"

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

// setAffinity gives C the caller's mask, in which is what the cpuset of their control group
// leaves: that changes at any moment, for both, and what both have afterwards is to be the same.
// So C first gives up what the target has chosen, which nobody can ask for, and chooses itself only
// where the caller has: where it has less than the cpuset leaves.
func (b *build) setAffinity() error {
	for {
		want, err := affinityOf(b.snap.caller.TID, unix.NewCPUSet(usualCPUs))
		if err != nil {
			return err
		}
		if err := b.freeAffinity(len(want)); err != nil {
			return err
		}
		if same, err := b.hasAffinity(want); same || err != nil {
			return err
		}
		if done, err := b.chooseAffinity(want); done || err != nil {
			return err
		}
	}
}

func (b *build) hasAffinity(want unix.CPUSetDynamic) (bool, error) {
	have, err := affinityOf(b.c.TID, unix.NewCPUSet(64*len(want)))
	return slices.Equal(want, have), err
}

// freeAffinity lets C run wherever its cpuset allows. All processors is EINVAL only where that
// cpuset changed within the call (__sched_setaffinity() in kernel/sched/syscalls.c).
func (b *build) freeAffinity(words int) error {
	all := unix.NewCPUSet(64 * words)
	all.Fill()
	for {
		err := unix.SchedSetaffinityDynamic(b.c.TID, all)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, unix.EINVAL):
			return fmt.Errorf("sched_setaffinity of pid %d: %w", b.c.TID, err)
		}
	}
}

// chooseAffinity gives C the mask, and reports whether it was the caller's all the time. A
// cpuset that leaves nothing of it, without a change of the caller's, is another than the
// caller's: there C has all that this one leaves, as the kernel would have it.
func (b *build) chooseAffinity(want unix.CPUSetDynamic) (bool, error) {
	err := unix.SchedSetaffinityDynamic(b.c.TID, want)
	if err != nil && !errors.Is(err, unix.EINVAL) {
		return false, fmt.Errorf("sched_setaffinity of pid %d: %w", b.c.TID, err)
	}
	is, err := affinityOf(b.snap.caller.TID, unix.NewCPUSet(64*len(want)))
	return slices.Equal(want, is), err
}
