// SPDX-License-Identifier: Apache-2.0

package proc

// Parent opens the process of the real parent, nil if that is not visible: the
// process is the init of the pid namespace that /proc shows, or the parent is
// outside it. A tracer is never the real parent.
//
//	this process      parent q            somebody
//	read PPid: q
//	                  exits, is reaped
//	                                      gets the number q
//	open /proc/q: the wrong one
//	read PPid: not q, try again
func (d *Dir) Parent() (*Dir, error) {
	_, parent, err := d.parentUnless(0)
	return parent, err
}

// parentUnless is Parent, but for a parent with the number known, which is found and
// not opened: that one is alive, so that nobody else can have its number.
func (d *Dir) parentUnless(known int) (found bool, parent *Dir, err error) {
	for {
		before, err := d.Stat()
		if err != nil {
			return false, nil, err
		}
		if before.Ppid == 0 {
			return false, nil, d.still("stat") // of one that is being reaped, do_task_stat() says 0
		}
		if before.Ppid == known {
			return true, nil, nil
		}
		parent, err := Open(before.Ppid)
		if err != nil && !Gone(err) {
			return false, nil, err
		}
		after, serr := d.Stat()
		if serr == nil && after.Ppid == before.Ppid {
			return false, parent, nil // nil where a mount with hidepid= hides it
		}
		if err == nil {
			parent.Close()
		}
		if serr != nil {
			return false, nil, serr
		}
	}
}

// DescendsFrom walks up the real parents, and reports whether ancestor is met.
// The process itself counts. The ancestor must stay alive during the walk.
func (d *Dir) DescendsFrom(ancestor int) (bool, error) {
	for {
		met, err := d.walk(ancestor)
		if !Gone(err) || !d.Alive() {
			return met, err
		}
		// One between has gone, and what was below it moved: start again.
	}
}

func (d *Dir) walk(ancestor int) (bool, error) {
	at := d
	for at.PID != ancestor {
		met, up, err := at.parentUnless(ancestor)
		if at != d {
			at.Close()
		}
		if up == nil {
			return met, err
		}
		at = up
	}
	if at != d {
		at.Close()
	}
	return true, nil
}
