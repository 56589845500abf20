// SPDX-License-Identifier: Apache-2.0

package check

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
	"cloneat-emu/emu/rights"
)

// scan looks for a number of a nested pid namespace in all of /proc.
type scan struct {
	caller *Caller
	pid    int
}

// find looks at the caller's descendants first, since that is where a call
// without fault finds its target.
func (s *scan) find() (int, error) {
	n, err := s.below(s.caller.TGID)
	if n != 0 || err != nil && !proc.Gone(err) {
		return n, err
	}
	all, err := proc.Processes()
	if err != nil {
		return 0, err
	}
	for _, tgid := range all {
		n, err := s.process(tgid)
		if n != 0 || err != nil && !proc.Gone(err) {
			return n, err
		}
	}
	return 0, &proc.GoneError{PID: s.pid, File: fmt.Sprintf("/proc, as thread %d sees it", s.caller.TID)}
}

// below looks at the processes of a tree.
func (s *scan) below(tgid int) (int, error) {
	if n, err := s.thread(tgid); n != 0 || err != nil {
		return n, err
	}
	d, err := proc.Open(tgid)
	if err != nil {
		return 0, err
	}
	children, err := d.Children()
	d.Close()
	if err != nil {
		return 0, err
	}
	for _, child := range children {
		n, err := s.below(child)
		if n != 0 || err != nil && !proc.Gone(err) {
			return n, err
		}
	}
	return 0, nil
}

// process looks at all threads of one process.
func (s *scan) process(tgid int) (int, error) {
	d, err := proc.Open(tgid)
	if err != nil {
		return 0, err
	}
	defer d.Close()
	tids, err := d.Threads()
	if err != nil {
		return 0, err
	}
	for _, tid := range tids {
		n, err := s.thread(tid)
		if n != 0 || err != nil && !proc.Gone(err) {
			return n, err
		}
	}
	return 0, nil
}

// thread answers tid if that thread has the number in the caller's namespace.
func (s *scan) thread(tid int) (int, error) {
	d, err := proc.Open(tid)
	if err != nil {
		return 0, err
	}
	defer d.Close()
	st, err := d.Status()
	level := s.caller.level()
	if err != nil || len(st.NSpid) <= level || st.NSpid[level] != s.pid {
		return 0, err
	}
	meant, err := s.caller.pidNS()
	if err != nil {
		return 0, err
	}
	is, err := within(d, len(st.NSpid)-1-level, meant)
	if !is {
		return 0, err
	}
	return tid, nil
}

// within reports whether the thread's pid namespace is that many levels below
// the one meant. Where it may not be looked at the number alone has decided.
func within(d *proc.Dir, up int, meant proc.NSID) (bool, error) {
	ns, err := d.OpenNS(proc.PID)
	if err != nil {
		return os.IsPermission(err), nil
	}
	defer func() { ns.Close() }()
	for ; up > 0; up-- {
		parent, err := rights.Parent(ns)
		if errors.Is(err, unix.EPERM) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		ns.Close()
		ns = parent
	}
	id, err := proc.FileNSID(ns)
	return id == meant, err
}
