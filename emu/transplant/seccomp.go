// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"encoding/binary"
	"errors"
	"slices"

	"cloneat-emu/emu/proc"
	"cloneat-emu/ptrace"

	"golang.org/x/sys/unix"
)

const (
	seccompSetModeFilter = 1
	// Without it kernels before 5.16 switch mitigations on that the caller may not have.
	seccompFilterFlagSpecAllow = 4
	seccompStrict              = 1
	seccompFiltered            = 2
)

type filter = []unix.SockFilter

// checkFilters compares the seccomp filters of caller and C. Filters are never
// taken off: what the target has beyond the caller's cannot be had off C. What
// the caller has beyond the target's is installed in C (setFilters).
func (b *build) checkFilters() error {
	have, want := b.status.SeccompFilters, b.snap.status.SeccompFilters
	if b.status.Seccomp == seccompStrict {
		return b.filtersLeft("is in seccomp's strict mode")
	}
	if have == 0 && want == 0 {
		return nil
	}
	theirs, err := filters(b.c, b.status)
	if err == nil {
		b.filters, err = filters(b.snap.caller, b.snap.status)
	}
	if errors.Is(err, unix.EOPNOTSUPP) && have == want && have == ptrace.CommonFilters() {
		return nil
	}
	if err != nil {
		return err
	}
	for i, f := range theirs {
		if i >= len(b.filters) || !slices.Equal(f, b.filters[i]) {
			b.filters = nil
			return b.filtersLeft("has a seccomp filter of its own")
		}
	}
	b.filters = b.filters[len(theirs):]
	return nil
}

func (b *build) filtersLeft(what string) error {
	if !b.opt.BestEffort {
		return unsupported("the target %s", what)
	}
	b.leave("the child's target %s, which the child keeps", what)
	return nil
}

// filters reads a thread's filters, the oldest first. A kernel without
// CONFIG_CHECKPOINT_RESTORE shows none, with the error for a thread that has none.
func filters(s *ptrace.Stopped, status *proc.Status) ([]filter, error) {
	if status.Seccomp != seccompFiltered {
		return nil, nil
	}
	var all []filter
	for i := 0; ; i++ {
		f, err := s.SeccompFilter(i)
		switch {
		case errors.Is(err, unix.ENOENT):
			return all, nil
		case errors.Is(err, unix.EACCES), errors.Is(err, unix.EIO), errors.Is(err, unix.EMEDIUMTYPE),
			errors.Is(err, unix.EINVAL):
			return nil, unsupported("seccomp filters differ or cannot be compared: %v", err)
		case err != nil:
			return nil, err
		}
		all = append(all, f)
	}
}

// setFilters installs what the caller has beyond the target, oldest first.
// C's filters are suspended while it is traced, so that they do not judge the
// calls that are still to come.
func (b *build) setFilters() error {
	for _, f := range b.filters {
		if !b.suspended {
			return unsupported("the caller has seccomp filters, and installing them wants CAP_SYS_ADMIN")
		}
		var code []byte
		for _, i := range f {
			code = binary.LittleEndian.AppendUint16(code, i.Code)
			code = append(code, i.Jt, i.Jf)
			code = binary.LittleEndian.AppendUint32(code, i.K)
		}
		b.script.room(1, len(code)+16)
		at := b.script.data(code)
		prog := binary.LittleEndian.AppendUint64(nil, uint64(len(f)))
		prog = binary.LittleEndian.AppendUint64(prog, uint64(at))
		b.script.add("seccomp", 0, unix.SYS_SECCOMP, seccompSetModeFilter, seccompFilterFlagSpecAllow, b.script.data(prog))
		if err := b.script.run(); err != nil {
			return err
		}
	}
	return nil
}
