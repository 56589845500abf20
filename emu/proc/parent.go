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
	for {
		before, err := d.Stat()
		if err != nil {
			return nil, err
		}
		if before.Ppid == 0 {
			return nil, d.still("stat") // of one that is being reaped, do_task_stat() says 0
		}
		parent, err := Open(before.Ppid)
		if err != nil && !Gone(err) {
			return nil, err
		}
		after, serr := d.Stat()
		if serr == nil && after.Ppid == before.Ppid {
			return parent, nil // nil where a mount with hidepid= hides it
		}
		if err == nil {
			parent.Close()
		}
		if serr != nil {
			return nil, serr
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
		up, err := at.Parent()
		if at != d {
			at.Close()
		}
		if up == nil {
			return false, err
		}
		at = up
	}
	if at != d {
		at.Close()
	}
	return true, nil
}
