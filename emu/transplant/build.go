// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
	"cloneat-emu/ptrace"
)

// Stats count what was rebuilt.
type Stats struct {
	// Pages and Bytes were copied.
	Pages, Bytes uint64
	// Mappings and FDs were made.
	Mappings, FDs int
}

// build is one rebuilding under way.
type build struct {
	snap  *Snapshot
	c     *ptrace.Stopped
	opt   Options
	stats Stats

	inj *ptrace.Injection
	work
	hand  *hand // nil: C works itself
	stage uint64

	own         *answers // C's
	answered    func() (*answers, error)
	status      *proc.Status // C's
	ids         *idMaps      // of C's user namespace; nil before they are asked for
	maps        []mapping
	kept        map[uint64]bool   // mappings of C that are the caller's already, by address
	toFill      map[uint64][]span // of each mapping
	rows        map[uint64]apart  // mappings that differ from a neighbour in nothing
	limits      limits
	personality uint64
	mine        pages  // C's
	surplus     []span // what C has in kept mappings and the caller has not
	sameUser    bool
	sameMount   bool
	sameIPC     bool
	exe         exeState
	flushes     flushState
	filters     []filter // to be installed
	ownOOM      string   // C's oom_score_adj, if it is another while memory is filled
	announced   bool     // the kernel may write to C's memory where the target told it to
	suspended   bool     // C's filters do not act while it is traced
	taken       keySet   // protection keys that are C's for the moment
	left        *Leftovers
	moved       bool // C was born in other control groups, which count tasks
}

// Build turns C, the stopped fresh child of the target, into a clone of the
// caller that is ready to run: the next resume continues it behind the
// caller's call. cPIDFD is a pidfd of C. After an error C is no program any
// more and must be killed; with one for which [ptrace.Gone] is true, caller or
// C died.
func (s *Snapshot) Build(c *ptrace.Stopped, cPIDFD int, o Options) (Stats, error) {
	b := &build{snap: s, c: c, work: work{pidfd: cPIDFD, tid: c.TID}, opt: o, left: s.left}
	b.announced = b.announces()
	defer b.drop()
	defer s.Release()
	for _, st := range b.stages() {
		if o.OnStage != nil {
			o.OnStage(st.name)
		}
		from := time.Now()
		if err := st.do(); err != nil {
			err = st.refused(b.meddled(b.whoIsGone(err)))
			b.failed(err)
			return b.stats, fmt.Errorf("transplant of pid %d into %d: %s: %w", s.caller.TID, c.TID, st.name, err)
		}
		if o.Log != nil {
			o.Log.Tracef("transplant into %d: %s: %v", c.TID, st.name, time.Since(from))
		}
	}
	return b.stats, nil
}

// whoIsGone finds the death of C or the caller behind an error: a broken pipe,
// a link of /proc that a zombie has not.
func (b *build) whoIsGone(err error) error {
	if ptrace.Gone(err) {
		return err
	}
	for _, tid := range []int{b.c.TID, b.snap.caller.TID} {
		if proc.Exiting(tid) || proc.Pending(tid, unix.SIGKILL) {
			return fmt.Errorf("pid %d: %w (%w)", tid, ptrace.ErrGone, err)
		}
	}
	return err
}

// meddled has the call begin anew where others, who share the child's descriptors, have closed one that
// it worked with: all that they did not open themselves (close_range(2)), say.
func (b *build) meddled(err error) error {
	if b.sharesFiles() && (errors.Is(err, unix.EBADF) || errors.Is(err, unix.ENOTSOCK)) {
		return fmt.Errorf("closed by others: %v: %w", err, ptrace.ErrAgain)
	}
	return err
}

// drop closes what an error left open.
func (b *build) drop() {
	_ = b.endHand()
	if b.ch != nil {
		b.ch.closeOurs()
	}
}

// look reads what is needed to know about C.
func (b *build) look() (err error) {
	if b.status, err = readStatus(b.c.TID); err != nil {
		return err
	}
	b.maps, err = readMaps(b.c.TID)
	return err
}

// compare finds out what C has of the caller already.
func (b *build) compare() (err error) {
	if b.sameUser, err = sameNS(b.snap.caller.TID, b.c.TID, proc.User); err != nil {
		return err
	}
	if b.sameMount, err = sameNS(b.snap.caller.TID, b.c.TID, proc.Mnt); err != nil {
		return err
	}
	if err := b.compareExe(); err != nil {
		return err
	}
	if b.sameIPC, err = sameNS(b.snap.caller.TID, b.c.TID, proc.IPC); err != nil {
		return err
	}
	if err := b.findKept(); err != nil {
		return err
	}
	b.planContents()
	if len(b.kept) > 0 {
		return b.compareKept()
	}
	return nil
}

// openStage opens the injection into C and maps the stage. Others may have C's
// memory (ShareVM), map something where it was free a moment ago, and be children
// in the making as well, whose stage goes to the same place.
func (b *build) openStage() error {
	const tries = 100
	maps := b.maps
	raised := false
	var short error
	for range tries {
		at, err := b.stagePlace(maps)
		if err != nil {
			return err
		}
		if b.opt.ShareVM {
			b.left.stage = at // from here on: C may be killed behind its mmap(2)
		}
		script, err := startScript(b.inj, at)
		switch {
		case !errors.Is(err, unix.ENOMEM):
		case raised:
			err = cmp.Or(short, err)
		default:
			if short, err = b.raiseRoom(); err == nil {
				raised = true
				continue
			}
		}
		if !errors.Is(err, unix.EEXIST) {
			b.stage, b.script = at, script
			return err
		}
		b.left.stage = 0
		if maps, err = readMaps(b.c.TID); err != nil {
			return err
		}
	}
	return unsupported("%d times others mapped memory where the child was to work", tries)
}

// check refuses early what cannot end well.
func (b *build) check() error {
	if !b.sameUser {
		return unsupported("the target is in another user namespace")
	}
	return errors.Join(b.checkReturns(), b.checkAttrs())
}

// begin opens the injection into C, which no signal may take away. C's own
// seccomp filters, the target's, do not judge what it is made to do, where
// the operator may suspend them (CAP_SYS_ADMIN).
func (b *build) begin() (err error) {
	if b.status.SeccompFilters != 0 || b.snap.status.SeccompFilters != 0 {
		b.suspended = true
		b.suspended = b.c.SetOptions(b.options()) == nil
	}
	if !b.suspended {
		if err := b.c.SetOptions(b.options()); err != nil {
			return err
		}
	}
	if b.snap.status.SeccompFilters > ptrace.CommonFilters() {
		b.c.Watch() // it gets them (setFilters)
	}
	b.inj, err = b.c.Begin()
	if err == nil {
		b.inj.Hold, b.inj.NoTrap, b.inj.OnStuck, b.inj.Bound = true, b.opt.ShareSighand, b.snap.others.Frozen, true
	}
	return err
}

// options are those of a child in the making.
func (b *build) options() int {
	const options = unix.PTRACE_O_EXITKILL | unix.PTRACE_O_TRACESYSGOOD
	if b.suspended {
		return options | unix.PTRACE_O_SUSPEND_SECCOMP
	}
	return options
}

// release lets the caller's other threads go on, once nothing is read of it any more
// that they could change.
func (b *build) release() error {
	if len(b.snap.frozen) > 0 {
		if err := b.script.arrive(); err != nil {
			return err
		}
	}
	return b.snap.Release()
}

// leave logs a difference that a best effort leaves.
func (b *build) leave(format string, args ...any) {
	if b.opt.Log != nil {
		b.opt.Log.Warnf(format, args...)
	}
}
