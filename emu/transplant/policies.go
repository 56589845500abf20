// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"cloneat-emu/ptrace"
)

// Memory policies of single mappings (mbind(2)). The kernel tells them one address
// at a time, and /proc/PID/numa_maps walks all pages, so the caller is asked for the
// mode of each private mapping, and only where there is one for the nodes. Policies of
// shared memory belong to the file.

const (
	mpolDefault = 0
	mpolFAddr   = 2 // MPOL_F_ADDR
	// policiesAtOnce is how many mappings are asked about in one stop.
	policiesAtOnce = 2048
)

// policyQuery asks about one lot of mappings.
type policyQuery struct {
	starts  []uint64
	results []ptrace.Result
	out     uintptr
}

// queuePolicies queues the question for the modes at the first addresses; the rest
// is for later queries.
func queuePolicies(sc *script, starts []uint64) (q *policyQuery, rest []uint64) {
	n := min(len(starts), policiesAtOnce)
	q = &policyQuery{starts: starts[:n], results: make([]ptrace.Result, n), out: sc.reserve(8 * n)}
	for i, at := range q.starts {
		sc.ask(&q.results[i], "get_mempolicy", unix.SYS_GET_MEMPOLICY, q.out+8*uintptr(i), 0, 0, uintptr(at), mpolFAddr)
	}
	return q, starts[n:]
}

// read returns those addresses at which there is a policy; the queue has run, and
// nothing was placed in the area since.
func (q *policyQuery) read(sc *script) (with []uint64, err error) {
	modes := make([]byte, 8*len(q.starts))
	if err := sc.batch.Output(q.out, modes); err != nil {
		return nil, err
	}
	for i, at := range q.starts {
		if q.results[i].Errno == 0 && binary.LittleEndian.Uint32(modes[8*i:]) != mpolDefault {
			with = append(with, at)
		}
	}
	return with, nil
}

// policyStarts are the mappings that can have a policy of their own.
func (s *Snapshot) policyStarts() (starts []uint64) {
	for i := range s.maps {
		if m := &s.maps[i]; !m.shared && !m.vdso() {
			starts = append(starts, m.start)
		}
	}
	return starts
}

// takePolicies fills in the caller's policies, the first query having run.
func (s *Snapshot) takePolicies(sc *script, q *policyQuery, rest []uint64) error {
	with, err := q.read(sc)
	for err == nil && len(rest) > 0 {
		q, rest = queuePolicies(sc, rest)
		if err = sc.run(); err != nil {
			break
		}
		var more []uint64
		more, err = q.read(sc)
		with = append(with, more...)
	}
	s.policies = map[uint64]memPolicy{}
	for _, at := range with {
		if err != nil {
			break
		}
		s.policies[at], err = policyAt(sc, at)
	}
	return err
}

func policyAt(sc *script, at uint64) (p memPolicy, err error) {
	var r ptrace.Result
	out := sc.reserve(len(p))
	sc.ask(&r, "get_mempolicy", unix.SYS_GET_MEMPOLICY, out, out+8, maxNodes, uintptr(at), mpolFAddr)
	if err := sc.run(); err != nil || r.Errno != 0 {
		return p, err
	}
	return p, sc.batch.Output(out, p[:])
}

// setMapPolicy gives one mapping of C the policy of the caller's. A mapping that was
// kept may have one of the target's.
func (b *build) setMapPolicy(m *mapping) {
	p, ok := b.snap.policies[m.start]
	if m.shared || !ok && !b.kept[m.start] {
		return
	}
	mode := binary.LittleEndian.Uint32(p[:])
	if !ok {
		b.script.try("mbind", unix.SYS_MBIND, uintptr(m.start), uintptr(m.size()), mpolDefault, 0, 0, 0)
		return
	}
	b.script.room(1, len(p))
	b.script.try("mbind", unix.SYS_MBIND, uintptr(m.start), uintptr(m.size()),
		uintptr(mode), b.script.data(p[8:]), maxNodes, 0)
}
