// SPDX-License-Identifier: Apache-2.0

package tree

// groups brings every member into its process group, by setpgid(2), which takes
// the leader, or anybody of the group, to be alive and in the same session. So
// those join first whose group is there already or has a dead leader, then the
// leaders found theirs, then the rest joins.
func (p *planner) groups() {
	p.join(func(m *Process) bool { return p.leaderOf(m) == nil })
	for _, m := range p.tree.Processes {
		if m.PGID == m.PID && p.group[Actor(m.PID)] != m.PID {
			p.add(Step{Op: OpGroup, Actor: Actor(m.PID), Child: Actor(m.PID)})
			p.group[Actor(m.PID)] = m.PID
		}
	}
	p.join(func(m *Process) bool { return true })
}

// leaderOf is the member that founds a member's group, nil if it is dead.
func (p *planner) leaderOf(m *Process) *Process {
	if l := p.byPID[m.PGID]; l != nil && l.PGID == l.PID {
		return l
	}
	return nil
}

// join lets those members join their groups that are chosen.
func (p *planner) join(chosen func(*Process) bool) {
	for _, m := range p.tree.Processes {
		a := Actor(m.PID)
		if p.group[a] == m.PGID || m.PGID == m.PID || !chosen(m) {
			continue
		}
		p.joinOne(m)
	}
}

// joinOne lets a member join its group, and notes why it cannot.
func (p *planner) joinOne(m *Process) {
	a, leader := Actor(m.PID), p.leaderOf(m)
	switch {
	case m.PGID == 0:
		p.note(m, "its process group is outside of the tree")
	case m.SID == m.PID:
		p.note(m, "leads a session and cannot leave its group")
	case leader != nil && p.session[Actor(leader.PID)] != p.session[a]:
		p.note(m, "process group %d is in another session", m.PGID)
	case len(m.NSPID) > 0 && (leader == nil || len(leader.NSPID) != len(m.NSPID)):
		p.note(m, "process group %d has no number in the nested pid namespace", m.PGID)
	case leader != nil:
		p.enter(a, Actor(leader.PID), m.PGID)
	default:
		p.joinDead(m)
	}
}

// enter adds the step and what it changes.
func (p *planner) enter(a, leader Actor, pgid int) {
	p.add(Step{Op: OpGroup, Actor: a, Child: leader, Number: pgid})
	p.group[a] = pgid
}

// joinDead lets a member join a group without a leader: it is there because
// somebody is in it, or the member makes a temporary leader for everybody.
func (p *planner) joinDead(m *Process) {
	for _, other := range p.tree.Processes {
		o := Actor(other.PID)
		if o != Actor(m.PID) && p.group[o] == m.PGID && p.session[o] == p.session[Actor(m.PID)] {
			p.enter(Actor(m.PID), o, m.PGID)
			return
		}
	}
	if p.byPID[m.PGID] != nil {
		p.note(m, "process group %d cannot be had: the process of that number is alive and in another group", m.PGID)
		return
	}
	t := p.temp()
	p.bear(Step{Actor: Actor(m.PID), Target: Actor(m.PID), Child: t, Number: m.PGID})
	p.enter(t, t, m.PGID)
	p.enter(Actor(m.PID), t, m.PGID)
	p.leave(Actor(m.PID), t)
}
