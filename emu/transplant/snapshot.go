// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"bytes"
	"errors"
	"fmt"

	"cloneat-emu/emu/proc"
	"cloneat-emu/ptrace"

	"golang.org/x/sys/unix"
)

// Snapshot is everything about a caller that its child inherits, but the
// contents of its memory and the open files themselves: those are taken while
// the child is built, and the caller must stay stopped until then.
type Snapshot struct {
	caller *ptrace.Stopped
	asked  *ptrace.Injection // the scope in which the caller is asked
	pidfd  int               // of the caller's process; not ours

	left *Leftovers

	frozen  []*ptrace.Stopped // the caller's other threads, and its company's
	stopped map[int][]int     // the numbers of caller and frozen, by process
	mayWait bool              // those that wait in vfork(2) need not be among them
	others  Others

	regs   ptrace.Regs
	xstate []byte
	mask   uint64
	rseq   ptrace.RseqConfig

	own         *answers
	policies    map[uint64]memPolicy // of single mappings, by address
	status      *proc.Status
	maps        []mapping
	pages       pages
	layout      layout
	ldt         ldt
	flusher     bool // see flusher
	auxv        []byte
	comm        string
	fds         []descriptor
	sched       scheduling
	knobs       map[string]string
	personality uint64
}

// Take reads the caller, which was stopped in its call with the registers of an
// interrupted system call. It is asked by an injected batch what /proc does
// not tell, and rests as it was; the other threads of its process are stopped
// until the copy of its memory is made (see Release). callerPIDFD is a pidfd of
// its process, which must stay open until the Snapshot is used up. Where the caller dies, or
// later the child, left tells what is to be removed.
func Take(caller *ptrace.Injection, callerPIDFD int, others Others, left *Leftovers) (*Snapshot, error) {
	s := &Snapshot{caller: caller.Stopped, asked: caller, pidfd: callerPIDFD, others: others, left: left}
	caller.OnAwaited = func() { s.interrupted(caller.TID) }
	for _, read := range []func() error{
		s.takeRegisters, s.takeStatus, s.freeze, s.ask, s.takeMemory,
	} {
		if err := read(); err != nil {
			_ = s.Release()
			return nil, fmt.Errorf("snapshot of pid %d: %w", caller.TID, err)
		}
	}
	return s, nil
}

func (s *Snapshot) takeRegisters() (err error) {
	s.regs, s.mask = s.asked.Saved(), s.asked.Mask()
	s.xstate, err = s.caller.XState()
	return err
}

func (s *Snapshot) takeStatus() (err error) {
	s.status, err = readStatus(s.caller.TID)
	if err == nil {
		s.stopped = map[int][]int{s.status.Tgid: {s.caller.TID}}
	}
	return err
}

// ask runs the batch of questions in the caller.
func (s *Snapshot) ask() (err error) {
	inj := s.asked
	defer func() { err = errors.Join(err, inj.Rest()) }()
	if len(s.frozen) > 0 {
		inj.KeepIfThere()
	}
	// The area for the questions is not mapped yet.
	if err := inj.DropPage(); err != nil {
		return err
	}
	if s.maps, err = readMaps(s.caller.TID); err != nil {
		return err
	}
	fds, err := listFDs(s.caller.TID)
	if err != nil {
		return err
	}
	if s.rseq, err = inj.FindRseq(); err != nil {
		return err
	}
	script, err := s.openArea()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.closeArea(script)) }()
	var brk, alone ptrace.Result
	s.askAlone(script, &alone)
	policies, rest := queuePolicies(script, s.policyStarts())
	script.ask(&brk, "brk", unix.SYS_BRK, 0)
	var found func() []descriptor
	if len(fds) < fdsAtOnce {
		found = queryFDs(script, fds)
	}
	if s.own, err = queryAll(script, true); err != nil {
		return err
	}
	if err := s.checkCompany(alone); err != nil {
		return err
	}
	s.own.brk = uint64(brk.Value)
	if s.ldt, err = readLDT(script, s.own); err != nil {
		return err
	}
	if err := s.takePolicies(script, policies, rest); err != nil {
		return err
	}
	if found == nil {
		found = queryFDs(script, fds)
	}
	err = script.run()
	s.fds = found()
	return err
}

// openArea maps the area for the questions. The address is chosen before: whoever shares the
// caller's memory can remove it then, should the caller die.
func (s *Snapshot) openArea() (*script, error) {
	at, ok := freeSpan(scriptSize, s.maps)
	if !ok {
		return nil, unsupported("the caller leaves no %d bytes of address space free", scriptSize)
	}
	s.left.stage = at
	script, err := startScript(s.asked, at)
	if errors.Is(err, unix.EEXIST) { // others have its memory, and were quicker
		s.left.stage = 0
		return startScript(s.asked, 0)
	}
	if err != nil && !ptrace.Gone(err) {
		s.left.stage = 0 // a live caller has left nothing
	}
	return script, err
}

func (s *Snapshot) closeArea(script *script) error {
	err := script.batch.Close()
	if err == nil {
		s.left.stage = 0
	}
	return err
}

// fdsAtOnce is how many descriptors are asked about in the same stop as all the rest:
// as with policiesAtOnce, the script must not be full, and run, in between.
const fdsAtOnce = 1024

func (s *Snapshot) takeMemory() (err error) {
	tid := s.caller.TID
	if s.pages, err = privatePages(tid, s.maps); err != nil {
		return err
	}
	stat, err := readStat(tid)
	if err != nil {
		return err
	}
	s.layout, s.flusher = layoutOf(stat), flusher(stat)
	s.layout.brk = s.own.brk
	if s.auxv, err = readProc(tid, "auxv"); err != nil {
		return err
	}
	comm, err := readProc(tid, "comm")
	s.comm = string(bytes.TrimSuffix(comm, []byte{'\n'}))
	if err != nil {
		return err
	}
	s.personality, err = readPersonality(tid)
	return err
}

// takeSettings reads what is needed last. The threads that could change it are stopped
// until then.
func (s *Snapshot) takeSettings() (err error) {
	if s.sched, err = readScheduling(s.caller.TID); err != nil {
		return err
	}
	s.knobs, err = readKnobs(s.caller.TID)
	return err
}
