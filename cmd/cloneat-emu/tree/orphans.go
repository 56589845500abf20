// SPDX-License-Identifier: Apache-2.0

package tree

// orphan plans a member whose parent is not in its session, nor below the
// session's leader. It came to that parent by adoption, and does so again:
//
//	parent (adopts) ── ... ── source (of the session) ── middle ── member
//
// The middle exits, and the nearest adopter above it takes the member.
func (p *planner) orphan(m *Process, leader *Process) {
	parent := p.parentOf(m)
	source, ok := p.source(m, leader, parent)
	if !ok {
		p.plain(m, p.either(p.top, parent))
		return
	}
	middle := p.temp()
	p.bear(Step{Actor: source, Target: source, Child: middle})
	s := p.step(m, middle, middle)
	p.bear(s)
	p.add(Step{Op: OpAdopt, Actor: parent, Number: 1})
	p.leave(source, middle)
	p.add(Step{Op: OpAdopt, Actor: parent, Number: 0})
	p.parent[s.Child] = parent
}

// leave lets a temporary process exit and its parent reap it.
func (p *planner) leave(parent, temp Actor) {
	p.add(Step{Op: OpLeave, Actor: parent, Child: temp})
	p.born[temp] = false
}

// source is a process of the member's session below its parent: the leader, or
// one that takes the place of a dead leader for as long as it is needed.
func (p *planner) source(m *Process, leader *Process, parent Actor) (Actor, bool) {
	switch {
	case len(m.NSPID) > 0:
		p.note(m, "session %d cannot be had: its leader is outside of the nested pid namespace, or has no known number in it", m.SID)
		return 0, false
	case leader != nil && p.above(parent, Actor(leader.PID)):
		return Actor(leader.PID), true
	case leader != nil:
		p.note(m, "session %d cannot be had: its leader is neither above nor below the parent %d", m.SID, m.PPID)
		return 0, false
	}
	source, ok := p.dead[m.SID]
	if !ok {
		source = p.raise(m.SID, p.deepest(m.SID, parent))
	}
	if !p.above(parent, source) {
		p.note(m, "session %d cannot be had: its dead leader stood below %d, not below the parent %d",
			m.SID, p.parent[source], m.PPID)
		return 0, false
	}
	return source, true
}

// raise makes a temporary leader for a session whose own is long dead.
func (p *planner) raise(sid int, parent Actor) Actor {
	t := p.temp()
	p.bear(Step{Actor: p.either(p.top, parent), Target: parent, Child: t, Number: sid})
	p.lead(t, sid)
	p.dead[sid] = t
	return t
}

// deepest is the lowest parent, born already, of the session's members that
// stands below the one given, so that all on the way can adopt from the leader.
func (p *planner) deepest(sid int, parent Actor) Actor {
	for _, m := range p.tree.Processes {
		q := p.parentOf(m)
		if m.SID == sid && p.born[q] && p.session[q] != sid && p.above(parent, q) {
			parent = q
		}
	}
	return parent
}

// dismiss lets the temporary leaders go: every member is born.
func (p *planner) dismiss() {
	for sid, t := range p.dead {
		p.leave(p.parent[t], t)
		delete(p.dead, sid)
	}
}
