// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// scheduling is what the scheduler knows of a thread that is inherited.
type scheduling struct {
	attr   unix.SchedAttr
	nice   int // which the attributes of a realtime thread do not tell, nor set that of an idle one
	ioprio int
}

const ioprioWhoProcess = 1

func readScheduling(tid int) (scheduling, error) {
	var s scheduling
	attr, err := unix.SchedGetAttr(tid, 0)
	if err != nil {
		return s, fmt.Errorf("sched_getattr of pid %d: %w", tid, err)
	}
	s.attr = *attr
	if s.nice, err = niceOf(tid); err != nil {
		return s, err
	}
	r, _, errno := unix.Syscall(unix.SYS_IOPRIO_GET, ioprioWhoProcess, uintptr(tid), 0)
	if errno == 0 {
		s.ioprio = int(r)
	}
	return s, nil
}

func niceOf(tid int) (int, error) {
	const zero = 20 // what the system call returns for a nice value of 0, and less for a higher one
	raw, err := unix.Getpriority(unix.PRIO_PROCESS, tid)
	if err != nil {
		return 0, fmt.Errorf("getpriority of pid %d: %w", tid, err)
	}
	return zero - raw, nil
}

// inherited is what a child gets (kernel: sched_fork): with
// SCHED_FLAG_RESET_ON_FORK an ordinary policy and nice value, slices as long as others'
// and no clamps, and not the flag.
func (s scheduling) inherited() scheduling {
	if s.attr.Flags&unix.SCHED_FLAG_RESET_ON_FORK == 0 {
		return s
	}
	kept := unix.SchedAttr{Size: s.attr.Size, Policy: s.attr.Policy}
	s.nice = max(s.nice, 0)
	switch s.attr.Policy {
	case unix.SCHED_FIFO, unix.SCHED_RR, unix.SCHED_DEADLINE:
		kept.Policy, s.nice = unix.SCHED_NORMAL, 0
	}
	kept.Nice = int32(s.nice)
	if s.attr.Util_max != 0 { // of a kernel that clamps
		kept.Util_max = noClamp
	}
	s.attr = kept
	return s
}

// noClamp is the highest utilization there is (SCHED_CAPACITY_SCALE).
const noClamp = 1024

// setAttr gives C the attributes. Clamps are only set where they differ: the target may
// have some, and most kernels know none.
func setAttr(tid int, want, have unix.SchedAttr) error {
	if want == have {
		return nil
	}
	if want.Util_min != have.Util_min || want.Util_max != have.Util_max {
		want.Flags |= unix.SCHED_FLAG_UTIL_CLAMP
	}
	if err := unix.SchedSetAttr(tid, &want, 0); err != nil {
		return fmt.Errorf("sched_setattr of pid %d: %w", tid, err)
	}
	return nil
}

// setNice gives C the nice value, if the attributes have not.
func setNice(tid, want int) error {
	if have, err := niceOf(tid); err != nil || have == want {
		return err
	}
	if err := unix.Setpriority(unix.PRIO_PROCESS, tid, want); err != nil {
		return fmt.Errorf("setpriority of pid %d: %w", tid, err)
	}
	return nil
}

// setScheduling gives C the caller's scheduling, from outside.
func (b *build) setScheduling() error {
	want := b.snap.sched.inherited()
	have, err := readScheduling(b.c.TID)
	if err != nil {
		return err
	}
	if err := setAttr(b.c.TID, want.attr, have.attr); err != nil {
		return err
	}
	if err := setNice(b.c.TID, want.nice); err != nil {
		return err
	}
	if want.ioprio != have.ioprio {
		_, _, errno := unix.Syscall(unix.SYS_IOPRIO_SET, ioprioWhoProcess, uintptr(b.c.TID), uintptr(want.ioprio))
		if errno != 0 {
			return fmt.Errorf("ioprio_set of pid %d: %w", b.c.TID, errno)
		}
	}
	return b.setCookie()
}

// knobs are files under /proc/PID that a child inherits and another process
// may write.
var knobs = []string{oomAdj, "coredump_filter"}

func readKnobs(tid int) (map[string]string, error) {
	values := map[string]string{}
	for _, k := range knobs {
		v, err := readKnob(tid, k)
		if err != nil {
			return nil, err
		}
		if v != "" {
			values[k] = v
		}
	}
	return values, nil
}

// readKnob reads one; "" where this process may not, or the kernel has none.
func readKnob(tid int, name string) (string, error) {
	b, err := readProc(tid, name)
	if err != nil && alive(tid) {
		return "", nil
	}
	return string(b), err
}

// setDumpFilter sets what is printed in hex without a prefix, and parsed with one.
func (b *build) setDumpFilter() error {
	const filter = "coredump_filter"
	have, err := readKnob(b.c.TID, filter)
	want := b.snap.knobs[filter]
	if err != nil || want == "" || want == have {
		return err
	}
	return writeProc(b.c.TID, filter, "0x"+want)
}
