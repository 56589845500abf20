// SPDX-License-Identifier: Apache-2.0

package tree

// births plans every member's birth. One whose session's leader is not born yet
// is put off until that is.
func (p *planner) births() {
	todo := p.tree.Processes
	for len(todo) > 0 {
		var later []*Process
		for _, m := range todo {
			if !p.born[p.parentOf(m)] || !p.birth(m) {
				later = append(later, m)
			}
		}
		if len(later) == len(todo) {
			// Whoever waits for a session waits for itself: take the next best.
			m := p.firstWithParent(later)
			p.note(m, "session %d cannot be had: its leader would have to be born first, below this process", m.SID)
			p.plain(m, p.either(p.top, p.parentOf(m)))
			later = without(later, m)
		}
		todo = later
	}
}

// firstWithParent is the first of a list whose parent is born.
func (p *planner) firstWithParent(list []*Process) *Process {
	for _, m := range list {
		if p.born[p.parentOf(m)] {
			return m
		}
	}
	return list[0]
}

// without is a list less one.
func without(list []*Process, m *Process) []*Process {
	var rest []*Process
	for _, x := range list {
		if x != m {
			rest = append(rest, x)
		}
	}
	return rest
}

// birth plans one birth, or tells that it has to wait.
func (p *planner) birth(m *Process) bool {
	parent := p.parentOf(m)
	leader := p.byPID[m.SID]
	switch {
	case m.SID == m.PID:
		p.plain(m, p.either(p.top, parent))
		p.lead(Actor(m.PID), m.PID)
	case m.SID == 0:
		p.plain(m, p.outside(m, parent))
	case leader != nil && p.session[Actor(m.SID)] == m.SID && p.above(Actor(m.SID), parent):
		caller := Actor(m.SID)
		if p.session[parent] == m.SID {
			caller = p.either(caller, parent)
		}
		p.plain(m, caller)
	case p.session[parent] == m.SID && parent != Creator:
		p.plain(m, parent)
	case leader != nil && !p.born[Actor(m.SID)]:
		return false
	default:
		p.orphan(m, leader)
	}
	return true
}

// either is the general maker, or the parent itself, as was asked for. Of what
// lives in a nested pid namespace the general maker may not know the number.
func (p *planner) either(maker, parent Actor) Actor {
	if p.callers == ParentsCall || !p.born[maker] {
		return parent
	}
	if m := p.byPID[int(parent)]; m != nil && len(m.NSPID) > 0 {
		return parent
	}
	return maker
}

// outside is the caller for a member of the session that the creator is in.
func (p *planner) outside(m *Process, parent Actor) Actor {
	if p.session[parent] != 0 {
		return Creator
	}
	if p.session[p.top] != 0 {
		return p.either(Creator, parent)
	}
	return p.either(p.top, parent)
}

// plain plans a birth by one call.
func (p *planner) plain(m *Process, caller Actor) {
	p.bear(p.step(m, caller, p.parentOf(m)))
}

// step is the call that makes a member.
func (p *planner) step(m *Process, caller, target Actor) Step {
	s := Step{Actor: caller, Target: target, Child: Actor(m.PID), Number: m.Own()}
	if m == p.tree.Root() && m.PID == 1 {
		s.NewPID, s.Number = true, 0 // 1 inside; above, anything will do
		return s
	}
	above := 0
	if parent := p.byPID[m.PPID]; parent != nil && m != p.tree.Root() {
		above = len(parent.NSPID)
	}
	if len(m.NSPID) > above {
		// The hint counts in the parent's namespace; inside it is 1 anyway.
		s.NewPID = true
		s.Number = m.PID
		if above > 0 {
			s.Number = m.NSPID[above-1]
		}
	}
	return s
}
