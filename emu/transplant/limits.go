package transplant

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// numLimits is RLIM_NLIMITS.
const numLimits = 16

// limits are all of prlimit(2)'s, by RLIMIT_*.
type limits [numLimits]unix.Rlimit

func readLimits(tid int) (l limits, err error) {
	for i := range l {
		if err := unix.Prlimit(tid, i, nil, &l[i]); err != nil {
			return l, fmt.Errorf("prlimit %d of pid %d: %w", i, tid, err)
		}
	}
	return l, nil
}

// relaxLimits lifts the limits that the rebuilding itself could meet.
func (b *build) relaxLimits() error {
	have, err := readLimits(b.c.TID)
	if err != nil {
		return err
	}
	b.limits = have
	for _, i := range []int{unix.RLIMIT_AS, unix.RLIMIT_DATA, unix.RLIMIT_STACK, unix.RLIMIT_FSIZE} {
		b.raiseLimit(i, unix.RLIM_INFINITY)
	}
	need := uint64(maxRights + 16)
	if n := len(b.snap.fds); n > 0 {
		need = max(need, uint64(b.snap.fds[n-1].fd)+maxRights+16)
	}
	b.raiseLimit(unix.RLIMIT_NOFILE, need)
	return nil
}

// raiseLimit raises a soft limit to value, and the hard one with it where the
// operator may (CAP_SYS_RESOURCE). What then fails fails where it is needed.
func (b *build) raiseLimit(i int, value uint64) {
	old := b.limits[i]
	if old.Cur >= value {
		return
	}
	raised := unix.Rlimit{Cur: value, Max: max(value, old.Max)}
	if unix.Prlimit(b.c.TID, i, &raised, nil) != nil {
		raised = unix.Rlimit{Cur: min(value, old.Max), Max: old.Max}
		if unix.Prlimit(b.c.TID, i, &raised, nil) != nil {
			return
		}
	}
	b.limits[i] = raised
}

// setLimits gives C the caller's limits. All of them are set from outside, so
// that C needs no right for it.
func (b *build) setLimits() error {
	for i, want := range b.snap.limits {
		if want == b.limits[i] {
			continue
		}
		err := unix.Prlimit(b.c.TID, i, &want, nil)
		if errors.Is(err, unix.EPERM) {
			return unsupported("limit %d of the target is lower, and raising it wants CAP_SYS_RESOURCE", i)
		}
		if err != nil {
			return fmt.Errorf("prlimit %d of pid %d: %w", i, b.c.TID, err)
		}
	}
	return nil
}
