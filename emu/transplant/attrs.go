// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"encoding/binary"
	"errors"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// askAttrs has C asked about itself and, with the same stop, closes it to the
// target's user: nobody without CAP_SYS_PTRACE can trace or read it from here
// on. A supervisor without that right could not go on itself; its targets are its
// own user's, who may read the caller anyway. The target's descriptors are closed and
// the channel is made on the way.
func (b *build) askAttrs() error {
	if err := b.dropRseq(); err != nil {
		return err
	}
	b.useRights()
	b.answered = queueQuestions(b.script, false)
	if !b.opt.ShareVM && tracesAnybody() {
		b.script.add("prctl(PR_SET_DUMPABLE)", 0, unix.SYS_PRCTL, unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
	}
	if !b.opt.ShareFiles {
		b.closeFDs()
		b.queueSockets()
	}
	return b.script.launch()
}

// useRights makes all rights effective that C has: the target may have put some aside,
// and the call does not go by that.
func (b *build) useRights() {
	st := b.status
	if st.CapEff != st.CapPrm {
		b.queueCaps("all", st.CapPrm, st.CapPrm, st.CapInh)
		st.CapEff = st.CapPrm
	}
}

// readAttrs waits for the answers.
func (b *build) readAttrs() (err error) {
	if err := b.script.arrive(); err != nil {
		return err
	}
	b.own, err = b.answered()
	return err
}

// tracesAnybody reports whether this process has CAP_SYS_PTRACE.
var tracesAnybody = sync.OnceValue(func() bool {
	own, err := readStatus(os.Getpid())
	return err == nil && own.Capable(unix.CAP_SYS_PTRACE)
})

// dropRseq unregisters what C inherited from the target: the kernel would
// write to the area at C's next return to user space, when something else, or
// nothing, is mapped there, and kill it.
func (b *build) dropRseq() error {
	r, err := b.inj.FindRseq()
	if err != nil || r.Pointer == 0 {
		return err
	}
	const unregister = 1
	b.script.add("rseq", r.Pointer, unix.SYS_RSEQ, uintptr(r.Pointer), uintptr(r.Size), unregister, uintptr(r.Signature))
	return nil
}

// setAttrs gives C the caller's prctl(2) settings that differ.
func (b *build) setAttrs() error {
	b.setIf(unix.PR_GET_THP_DISABLE, func(v uintptr) {
		// The switch and its flags (Linux 6.18) are told in one word, and set in two.
		b.script.add("prctl(PR_SET_THP_DISABLE)", 0, unix.SYS_PRCTL, unix.PR_SET_THP_DISABLE, v&1, v&^1, 0, 0)
	})
	b.setIf(unix.PR_MCE_KILL_GET, func(v uintptr) {
		b.script.add("prctl(PR_MCE_KILL)", 0, unix.SYS_PRCTL, unix.PR_MCE_KILL, unix.PR_MCE_KILL_SET, v, 0, 0)
	})
	b.setIf(prGetMerge, func(v uintptr) {
		b.script.add("prctl(PR_SET_MEMORY_MERGE)", 0, unix.SYS_PRCTL, prSetMerge, v, 0, 0, 0)
	})
	if b.own.tsc != b.snap.own.tsc {
		b.script.add("prctl(PR_SET_TSC)", 0, unix.SYS_PRCTL, unix.PR_SET_TSC, uintptr(b.snap.own.tsc), 0, 0, 0)
	}
	if b.own.cpuid != b.snap.own.cpuid {
		setCPUID(b.script, b.snap.own.cpuid.Value)
	}
	b.setSpeculation()
	b.setBarriers()
	b.setPolicy()
	return errors.Join(b.setLDT(), b.setFlusher())
}

// setPolicy gives C the caller's NUMA policy (set_mempolicy(2)).
func (b *build) setPolicy() {
	want := b.snap.own.policy
	if want == b.own.policy {
		return
	}
	b.script.room(1, len(want))
	mode := binary.LittleEndian.Uint32(want[:])
	b.script.add("set_mempolicy", uint64(mode), unix.SYS_SET_MEMPOLICY, uintptr(mode), b.script.data(want[8:]), maxNodes)
}

// setSpeculation sets the mitigations that a task chooses for itself. Some
// cannot be given up again (PR_SPEC_FORCE_DISABLE): C then keeps the target's.
func (b *build) setSpeculation() {
	for i, want := range b.snap.own.spec {
		if want.Errno == 0 && want != b.own.spec[i] && want.Value&unix.PR_SPEC_PRCTL != 0 {
			b.script.try("prctl(PR_SET_SPECULATION_CTRL)", unix.SYS_PRCTL, unix.PR_SET_SPECULATION_CTRL,
				uintptr(i), want.Value&^unix.PR_SPEC_PRCTL, 0, 0)
		}
	}
}

// setSlack sets the timer slack, which a realtime policy, the target's, keeps at 0.
func (b *build) setSlack() error {
	b.setIf(unix.PR_GET_TIMERSLACK, func(v uintptr) {
		b.script.add("prctl(PR_SET_TIMERSLACK)", 0, unix.SYS_PRCTL, unix.PR_SET_TIMERSLACK, v, 0, 0, 0)
	})
	return nil
}

// setIf calls set with the caller's value of an attribute if C's differs.
func (b *build) setIf(getter int, set func(uintptr)) {
	want, have := b.snap.own.prctl[getter], b.own.prctl[getter]
	if want.Errno == 0 && have.Errno == 0 && want.Value != have.Value {
		set(want.Value)
	}
}

// checkAttrs refuses what a child of this target cannot get rid of.
func (b *build) checkAttrs() error {
	have := b.own.prctl[prGetMDWE]
	if !b.opt.ShareVM && have.Errno == 0 && have.Value&^b.snap.own.inheritedMDWE() != 0 {
		return unsupported("the target denies write+execute memory (PR_SET_MDWE), the caller does not")
	}
	return b.checkRings()
}

// deniesWriteExec reports whether C may not write code: as its target (PR_SET_MDWE).
func (b *build) deniesWriteExec() bool {
	const refuseExecGain = 1
	have := b.own.prctl[prGetMDWE]
	return have.Errno == 0 && have.Value&refuseExecGain != 0
}

// setLast sets what would be in the way of the steps before it.
func (b *build) setLast() error {
	if b.opt.ShareVM {
		return nil
	}
	if v := b.snap.own.inheritedMDWE(); v != 0 && v != b.own.prctl[prGetMDWE].Value {
		b.script.add("prctl(PR_SET_MDWE)", 0, unix.SYS_PRCTL, prSetMDWE, v, 0, 0, 0)
	}
	b.queueDumpable()
	return nil
}

// inheritedMDWE is what a child of fork(2) gets of PR_SET_MDWE: nothing, where
// PR_MDWE_NO_INHERIT says so (include/linux/sched/coredump.h, mmf_init_flags()).
func (a *answers) inheritedMDWE() uintptr {
	const noInherit = 2
	if v := a.prctl[prGetMDWE]; v.Errno == 0 && v.Value&noInherit == 0 {
		return v.Value
	}
	return 0
}
