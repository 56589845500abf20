// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"cloneat-emu/emu/proc"
	"cloneat-emu/emu/transplant"
	"cloneat-emu/ptrace"
)

// kin is a child of a target, as its parent may wait for it.
type kin struct {
	pid          int
	state        byte
	exitSignal   int
	status       int // as wait(2) has it
	utime, stime uint64
}

// ended reports whether its parent has been told of its end.
func (k kin) ended() bool   { return k.state == 'Z' || k.state == 'X' }
func (k kin) stopped() bool { return k.state == 'T' }

// kinOf are the children of the process that thread tid belongs to, but for one.
func kinOf(tid, but int) map[int]kin {
	st, err := statusOf(tid)
	if err != nil {
		return nil
	}
	d, err := proc.Open(st.Tgid)
	if err != nil {
		return nil
	}
	defer d.Close()
	children, err := d.Children()
	if err != nil {
		return nil
	}
	all := make(map[int]kin, len(children))
	for _, pid := range children {
		if k, ok := kinNow(pid); ok && pid != but {
			all[pid] = k
		}
	}
	return all
}

func kinNow(pid int) (kin, bool) {
	st, err := statOf(pid)
	if err != nil {
		return kin{}, false
	}
	k := kin{pid, st.State, st.ExitSignal, st.ExitCode, st.Utime, st.Stime}
	if k.ended() && (st.NumThreads > 1 || heldDead(pid, st.Ppid)) {
		k.state = alive
	}
	return k, true
}

// alive stands for a state in which nobody has been told of an end: other threads live on, or
// another than the parent has traced it, who has to reap it first.
const alive = 'S'

func heldDead(pid, parent int) bool {
	st, err := statusOf(pid)
	return err == nil && st.TracerPid != 0 && st.TracerPid != parent
}

// end is what thread viewer hears of its end.
func (k kin) end(viewer int) ptrace.Change {
	code, status := int32(ptrace.Exited), int32(k.status>>8)
	if sig := int32(k.status & 0x7f); sig != 0 {
		code, status = ptrace.Killed, sig
		if k.status&0x80 != 0 {
			code = ptrace.Dumped
		}
	}
	return k.change(viewer, code, status)
}

func (k kin) change(viewer int, code, status int32) ptrace.Change {
	c := ptrace.Change{
		PID: int(numberFor(viewer, k.pid)), Code: code, Status: status, Utime: k.utime, Stime: k.stime,
	}
	if st, err := statusOf(k.pid); err == nil {
		c.UID = transplant.UIDFor(viewer, st.Uid[0])
	}
	return c
}
