// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"cloneat-emu/internal/reexec"
)

// readers is everything that reads through a Dir.
var readers = map[string]func(*Dir) error{
	"Status":   func(d *Dir) error { _, err := d.Status(); return err },
	"Stat":     func(d *Dir) error { _, err := d.Stat(); return err },
	"Threads":  func(d *Dir) error { _, err := d.Threads(); return err },
	"Children": func(d *Dir) error { _, err := d.Children(); return err },
	"NS":       func(d *Dir) error { _, err := d.NS(User); return err },
	"OpenNS":   func(d *Dir) error { _, err := d.OpenNS(PID); return err },
	"Cgroups":  func(d *Dir) error { _, err := d.Cgroups(); return err },
	"Comm":     func(d *Dir) error { _, err := d.Comm(); return err },
	"Cmdline":  func(d *Dir) error { _, err := d.Cmdline(); return err },
	"Thread":   func(d *Dir) error { _, err := d.Thread(d.PID); return err },
	"Parent":   func(d *Dir) error { _, err := d.Parent(); return err },
}

func TestGoneIsTheAnswerOfEveryReader(t *testing.T) {
	p := reexec.Start(t, "idle", nil)
	p.Line()
	d := openDir(t, p.PID())
	for name, read := range readers {
		if err := read(d); err != nil {
			t.Errorf("%s of a live process: %v", name, err)
		}
	}
	p.End()
	if d.Alive() {
		t.Error("a reaped process counts as alive")
	}
	for name, read := range readers {
		err := read(d)
		if !Gone(err) || !errors.Is(err, unix.ESRCH) {
			t.Errorf("%s of a reaped process: %v, want GoneError", name, err)
		}
	}
	if _, err := Open(p.PID()); !Gone(err) {
		t.Errorf("Open: %v, want GoneError", err)
	}
}

func TestMissingFileIsNotGone(t *testing.T) {
	if _, err := openDir(t, 1).ReadFile("no_such_file"); err == nil || Gone(err) {
		t.Errorf("got %v, want a plain error", err)
	}
}
