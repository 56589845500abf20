// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"bytes"
	"fmt"
	"strings"

	"cloneat-emu/internal/release"
)

// Flags of [Stat.Flags], include/linux/sched.h.
const (
	PFExiting  = 0x00000004 // do_exit() has begun
	PFKthread  = 0x00200000
	pfIOWorker = 0x00000010
	// Since Linux 6.4, vhost's among them. Before 5.17 it was another flag.
	pfUserWorker = 0x00004000
	pfDumpCore   = 0x00000200 // writes a core dump
	PFForkNoEx   = 0x00000040 // forked, has not exec'ed
	// PFIOFlusher is what prctl(PR_SET_IO_FLUSHER) sets: PF_MEMALLOC_NOIO and
	// PF_LOCAL_THROTTLE.
	PFIOFlusher = 0x00080000 | 0x00100000
)

// Stat is /proc/PID/stat, field by field as proc(5) numbers them. Addresses and
// ExitCode are 0 or 1 where the reader may not ptrace-read the process.
type Stat struct {
	Pid   int
	Comm  string // unescaped
	State byte

	Ppid, Pgrp, Session, TtyNr, Tpgid int        // 4..8
	Flags                             uint64     // 9: PF_*
	MinFlt, CMinFlt, MajFlt, CMajFlt  uint64     // 10..13
	Utime, Stime                      uint64     // 14, 15: clock ticks
	Cutime, Cstime                    int64      // 16, 17
	Priority, Nice, NumThreads        int        // 18..20
	StartTime                         uint64     // 22: clock ticks after boot
	Vsize                             uint64     // 23: bytes
	Rss                               int64      // 24: pages
	RssLim                            uint64     // 25: bytes
	StartCode, EndCode, StartStack    uint64     // 26..28
	KstkEsp, KstkEip                  uint64     // 29, 30
	ExitSignal, Processor             int        // 38, 39
	RtPriority, Policy                int        // 40, 41
	DelayacctBlkioTicks               uint64     // 42
	GuestTime                         uint64     // 43: clock ticks
	CguestTime                        int64      // 44
	StartData, EndData, StartBrk      uint64     // 45..47
	ArgStart, ArgEnd                  uint64     // 48, 49
	EnvStart, EnvEnd                  uint64     // 50, 51
	ExitCode                          int        // 52: as wait(2) has it
	obsolete                          [10]uint64 // 21, 31..37
}

// Exiting reports whether the thread has begun to exit or has done so.
func (s *Stat) Exiting() bool { return s.Flags&PFExiting != 0 || s.State == 'Z' || s.State == 'X' }

// Dumping reports whether the thread writes a core dump.
func (s *Stat) Dumping() bool { return s.Flags&pfDumpCore != 0 }

// Worker reports whether the thread is one of the kernel's within a process, as those of
// io_uring: it runs no program, and a signal, or a tracer's interrupt, ends what it does for one.
func (s *Stat) Worker() bool {
	return s.Flags&pfIOWorker != 0 || s.Flags&pfUserWorker != 0 && release.Since(6, 4)
}

// Stat reads the stat file of the process or thread.
func (d *Dir) Stat() (*Stat, error) {
	b, err := d.ReadFile("stat")
	if err != nil {
		return nil, err
	}
	s, err := ParseStat(b)
	if err != nil {
		return nil, fmt.Errorf("%s/stat: %w", d.at, err)
	}
	return s, nil
}

// ParseStat reads the line of a stat file. The name in it may hold parentheses,
// blanks and newlines, but no parenthesis comes after it.
func ParseStat(b []byte) (*Stat, error) {
	left, right := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	if left < 0 || right < left {
		return nil, fmt.Errorf("no name in %q", b)
	}
	s := &Stat{Comm: string(b[left+1 : right])}
	if err := number(&s.Pid, strings.TrimSpace(string(b[:left])), 10); err != nil {
		return nil, err
	}
	fields := strings.Fields(string(b[right+1:]))
	if len(fields) < 50 {
		return nil, fmt.Errorf("%d fields after the name", len(fields))
	}
	s.State = fields[0][0]
	for i, dst := range s.numbers() {
		if err := scan(dst, fields[i+1]); err != nil {
			return nil, fmt.Errorf("field %d: %w", i+4, err)
		}
	}
	return s, nil
}

// numbers lists where fields 4 to 52 go.
func (s *Stat) numbers() []any {
	o := &s.obsolete
	return []any{
		&s.Ppid, &s.Pgrp, &s.Session, &s.TtyNr, &s.Tpgid, &s.Flags,
		&s.MinFlt, &s.CMinFlt, &s.MajFlt, &s.CMajFlt,
		&s.Utime, &s.Stime, &s.Cutime, &s.Cstime, &s.Priority, &s.Nice, &s.NumThreads,
		&o[0], &s.StartTime, &s.Vsize, &s.Rss, &s.RssLim,
		&s.StartCode, &s.EndCode, &s.StartStack, &s.KstkEsp, &s.KstkEip,
		&o[1], &o[2], &o[3], &o[4], &o[5], &o[6], &o[7],
		&s.ExitSignal, &s.Processor, &s.RtPriority, &s.Policy,
		&s.DelayacctBlkioTicks, &s.GuestTime, &s.CguestTime,
		&s.StartData, &s.EndData, &s.StartBrk, &s.ArgStart, &s.ArgEnd, &s.EnvStart, &s.EnvEnd,
		&s.ExitCode,
	}
}

func scan(dst any, field string) error {
	switch p := dst.(type) {
	case *int:
		return number(p, field, 10)
	case *int64:
		return number(p, field, 10)
	case *uint64:
		return number(p, field, 10)
	}
	return fmt.Errorf("no way to store into %T", dst)
}
