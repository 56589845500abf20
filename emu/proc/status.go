// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"fmt"
	"strconv"
	"strings"
)

// Status is /proc/PID/status: what concerns the thread itself, in the numbers
// of the pid and user namespaces of the reader. What a kernel does not show
// stays zero, but for SeccompFilters.
type Status struct {
	Comm      string // as /proc/PID/comm has it
	State     byte   // R, S, D, T, t, Z, X, I
	Umask     uint32 // only where there is an fs_struct: not for a zombie
	Tgid      int
	Ngid      int
	Pid       int
	PPid      int // of the real parent; 0 if that is not visible
	TracerPid int
	Uid, Gid  [4]uint32 // real, effective, saved, file system
	FDSize    int
	Groups    []uint32

	// One number for each pid namespace, from the reader's down to the
	// thread's own.
	NStgid, NSpid, NSpgid, NSsid []int

	VmRSS   uint64 // bytes
	Threads int

	SigPnd, ShdPnd, SigBlk, SigIgn, SigCgt uint64
	CapInh, CapPrm, CapEff, CapBnd, CapAmb uint64

	NoNewPrivs     bool
	Seccomp        int // SECCOMP_MODE_*
	SeccompFilters int // -1 before Linux 5.9
}

// Capable reports whether the capability (unix.CAP_*) is in effect, which counts in the
// thread's own user namespace.
func (s *Status) Capable(capability int) bool { return s.CapEff>>capability&1 != 0 }

// Status reads the status of the process's leader, or of the thread.
func (d *Dir) Status() (*Status, error) {
	b, err := d.ReadFile("status")
	if err != nil {
		return nil, err
	}
	s, err := ParseStatus(b)
	if err != nil {
		return nil, fmt.Errorf("%s/status: %w", d.at, err)
	}
	return s, nil
}

// unescape undoes what the kernel does to a name in the first line, so that it stays one
// (proc_task_name() in fs/proc/array.c).
var unescape = strings.NewReplacer(`\n`, "\n", `\\`, `\`)

// ParseStatus reads the text of a status file.
func ParseStatus(b []byte) (*Status, error) {
	s := &Status{SeccompFilters: -1}
	for line := range strings.Lines(string(b)) {
		if name, ok := strings.CutPrefix(line, "Name:\t"); ok {
			s.Comm = unescape.Replace(strings.TrimSuffix(name, "\n"))
			continue
		}
		key, value, _ := strings.Cut(line, ":")
		parse, known := statusFields[key]
		if !known {
			continue
		}
		if err := parse(s, strings.TrimSpace(value)); err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
	}
	if s.Pid == 0 {
		return nil, fmt.Errorf("no Pid line in %d bytes", len(b))
	}
	return s, nil
}

var statusFields = map[string]func(*Status, string) error{
	"State":     func(s *Status, v string) error { return firstByte(&s.State, v) },
	"Umask":     func(s *Status, v string) error { return number(&s.Umask, v, 8) },
	"Tgid":      func(s *Status, v string) error { return number(&s.Tgid, v, 10) },
	"Ngid":      func(s *Status, v string) error { return number(&s.Ngid, v, 10) },
	"Pid":       func(s *Status, v string) error { return number(&s.Pid, v, 10) },
	"PPid":      func(s *Status, v string) error { return number(&s.PPid, v, 10) },
	"TracerPid": func(s *Status, v string) error { return number(&s.TracerPid, v, 10) },
	"Uid":       func(s *Status, v string) error { return four(&s.Uid, v) },
	"Gid":       func(s *Status, v string) error { return four(&s.Gid, v) },
	"FDSize":    func(s *Status, v string) error { return number(&s.FDSize, v, 10) },
	"Groups":    func(s *Status, v string) error { return numbers(&s.Groups, v) },
	"NStgid":    func(s *Status, v string) error { return numbers(&s.NStgid, v) },
	"NSpid":     func(s *Status, v string) error { return numbers(&s.NSpid, v) },
	"NSpgid":    func(s *Status, v string) error { return numbers(&s.NSpgid, v) },
	"NSsid":     func(s *Status, v string) error { return numbers(&s.NSsid, v) },
	"VmRSS":     func(s *Status, v string) error { return kilobytes(&s.VmRSS, v) },
	"Threads":   func(s *Status, v string) error { return number(&s.Threads, v, 10) },
	"SigPnd":    func(s *Status, v string) error { return number(&s.SigPnd, v, 16) },
	"ShdPnd":    func(s *Status, v string) error { return number(&s.ShdPnd, v, 16) },
	"SigBlk":    func(s *Status, v string) error { return number(&s.SigBlk, v, 16) },
	"SigIgn":    func(s *Status, v string) error { return number(&s.SigIgn, v, 16) },
	"SigCgt":    func(s *Status, v string) error { return number(&s.SigCgt, v, 16) },
	"CapInh":    func(s *Status, v string) error { return number(&s.CapInh, v, 16) },
	"CapPrm":    func(s *Status, v string) error { return number(&s.CapPrm, v, 16) },
	"CapEff":    func(s *Status, v string) error { return number(&s.CapEff, v, 16) },
	"CapBnd":    func(s *Status, v string) error { return number(&s.CapBnd, v, 16) },
	"CapAmb":    func(s *Status, v string) error { return number(&s.CapAmb, v, 16) },
	"NoNewPrivs": func(s *Status, v string) error {
		s.NoNewPrivs = v == "1"
		return nil
	},
	"Seccomp":         func(s *Status, v string) error { return number(&s.Seccomp, v, 10) },
	"Seccomp_filters": func(s *Status, v string) error { return number(&s.SeccompFilters, v, 10) },
}

func firstByte(dst *byte, v string) error {
	if v == "" {
		return strconv.ErrSyntax
	}
	*dst = v[0]
	return nil
}
