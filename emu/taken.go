package emu

import (
	"os"
	"slices"

	"cloneat-emu/emu/proc"
	"cloneat-emu/emu/rights"
)

// taken returns the question whether a number is in use in a pid namespace: by
// a process, dead or alive, a thread, a group or a session. The kernel has no
// call that tells of a session alone, so all of /proc is looked through.
func taken(ns *os.File) func(int) (bool, error) {
	return func(number int) (bool, error) {
		id, err := proc.FileNSID(ns)
		if err != nil {
			return false, err
		}
		all, err := proc.Processes()
		if err != nil {
			return false, err
		}
		for _, pid := range all {
			if holds(pid, number, id) {
				return true, nil
			}
		}
		return false, nil
	}
}

// holds reports whether the process, one of its threads, its group or session
// has the number in the namespace. A process that is gone holds none.
func holds(pid, number int, ns proc.NSID) bool {
	d, err := proc.Open(pid)
	if err != nil {
		return false
	}
	defer d.Close()
	tids, err := d.Threads()
	if err != nil {
		return false
	}
	for _, tid := range tids {
		t, err := d.Thread(tid)
		if err != nil {
			continue
		}
		held := threadHolds(t, number, ns)
		t.Close()
		if held {
			return true
		}
	}
	return false
}

func threadHolds(t *proc.Dir, number int, ns proc.NSID) bool {
	st, err := t.Status()
	if err != nil {
		return false
	}
	for _, ids := range [][]int{st.NSpid, st.NSpgid, st.NSsid} {
		// Numbers count from the namespace of our /proc down; the last is the
		// thread's own namespace.
		if at := slices.Index(ids, number); at >= 0 && isAbove(t, len(ids)-1-at, ns) {
			return true
		}
	}
	return false
}

// isAbove reports whether ns is that many levels above the thread's own pid
// namespace. A zombie has none to look at: its number is taken to count.
func isAbove(t *proc.Dir, levels int, ns proc.NSID) bool {
	f, err := t.OpenNS(proc.PID)
	if err != nil {
		return true
	}
	for ; levels > 0; levels-- {
		up, err := rights.Parent(f)
		f.Close()
		if err != nil {
			return false
		}
		f = up
	}
	defer f.Close()
	id, err := proc.FileNSID(f)
	return err == nil && id == ns
}
