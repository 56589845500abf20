// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"encoding/binary"

	"cloneat-emu/ptrace"

	"golang.org/x/sys/unix"
)

// answers is what only a process itself can be asked about.
type answers struct {
	brk      uint64
	actions  [numSignals]sigaction // signal N at N-1
	altstack stackT
	prctl    map[int]ptrace.Result // by PR_GET_*; as C's own are read, too
	tsc      uint32                // PR_GET_TSC
	limits   limits
	spec     [numSpec]ptrace.Result // PR_GET_SPECULATION_CTRL
	policy   memPolicy
	barriers barriers
	ldt      ptrace.Result // see askLDT
	cpuid    ptrace.Result // arch_prctl(ARCH_GET_CPUID)
	keyring  ptrace.Result // serial number of the session keyring: the caller's only
	// requestKey is where requested keys go: the caller's only.
	requestKey ptrace.Result
	keys       [maxKeys]ptrace.Result // see askKeys
	xcomp      uint64                 // see askXcomp
	rings      ringRules
}

// memPolicy is what get_mempolicy(2) stores: the mode, and the nodes at 8.
type memPolicy [8 + maxNodes/8]byte

const (
	numSignals = 64
	// numSpec is how many kinds of speculation PR_GET_SPECULATION_CTRL knows.
	numSpec    = 3
	maxNodes   = 1024
	prGetMDWE  = 66
	prSetMDWE  = 65
	prGetMerge = 68
	prSetMerge = 67
	prGetTSC   = 25
)

// getters are the prctl(2) requests without a pointer whose values fork(2)
// hands down, by what kernel/fork.c copies of task_struct and mm_struct.
var getters = []int{
	unix.PR_GET_DUMPABLE, unix.PR_GET_SECUREBITS, unix.PR_MCE_KILL_GET,
	unix.PR_GET_THP_DISABLE, unix.PR_GET_TIMERSLACK, prGetMDWE, prGetMerge,
}

// queryAll asks a process. full false leaves out what is not compared: for C.
func queryAll(s *script, full bool) (*answers, error) {
	answered := queueQuestions(s, full)
	if err := s.run(); err != nil {
		return nil, err
	}
	return answered()
}

// queueQuestions queues all of them. The answers are there when that has run.
func queueQuestions(s *script, full bool) (answered func() (*answers, error)) {
	a := &answers{prctl: map[int]ptrace.Result{}}
	found := make([]ptrace.Result, len(getters))
	for i, g := range getters {
		s.ask(&found[i], "prctl", unix.SYS_PRCTL, uintptr(g), 0, 0, 0, 0)
	}
	for i := range a.spec {
		s.ask(&a.spec[i], "prctl", unix.SYS_PRCTL, unix.PR_GET_SPECULATION_CTRL, uintptr(i), 0, 0, 0)
	}
	a.barriers.ask(s)
	a.rings.ask(s)
	askLDT(s, &a.ldt)
	askCPUID(s, &a.cpuid)
	askKeys(s, &a.keys)
	out := s.reserve(answerSize)
	s.try("prctl(PR_GET_TSC)", unix.SYS_PRCTL, prGetTSC, out)
	askXcomp(s, out+xcompOff)
	queueLimits(s, out+limitsOff)
	s.try("get_mempolicy", unix.SYS_GET_MEMPOLICY, out+policyOff, out+policyOff+8, maxNodes, 0, 0)
	if full {
		askKeyring(s, &a.keyring)
		askRequestKey(s, &a.requestKey)
		a.queue(s, out)
	}
	return func() (*answers, error) {
		for i, g := range getters {
			a.prctl[g] = found[i]
		}
		return a, a.readBack(s, out)
	}
}

// Where the answers that come through memory are: PR_GET_TSC's at 0.
const (
	limitsOff  = 8
	actionsOff = limitsOff + numLimits*limitSize
	stackOff   = actionsOff + numSignals*sigactionSize
	policyOff  = stackOff + stackTSize
	xcompOff   = policyOff + 8 + maxNodes/8
	answerSize = xcompOff + 8
)

// queue asks for dispositions and the alternate stack.
func (a *answers) queue(s *script, out uintptr) {
	for sig := uintptr(1); sig <= numSignals; sig++ {
		s.add("rt_sigaction", uint64(sig), unix.SYS_RT_SIGACTION, sig, 0, out+actionsOff+(sig-1)*sigactionSize, 8)
	}
	s.add("sigaltstack", 0, unix.SYS_SIGALTSTACK, 0, out+stackOff)
}

func (a *answers) readBack(s *script, out uintptr) error {
	b := make([]byte, answerSize)
	if err := s.batch.Output(out, b); err != nil {
		return err
	}
	a.tsc = binary.LittleEndian.Uint32(b)
	a.limits = decodeLimits(b[limitsOff:])
	for i := range a.actions {
		copy(a.actions[i][:], b[actionsOff+i*sigactionSize:])
	}
	copy(a.altstack[:], b[stackOff:])
	copy(a.policy[:], b[policyOff:])
	a.xcomp = binary.LittleEndian.Uint64(b[xcompOff:])
	return nil
}
