// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
	"cloneat-emu/ptrace"
)

// processes is what /proc/TID/limits calls RLIMIT_NPROC.
const processes = "Max processes"

// limitOf reads a limit from /proc/TID/limits, which needs no rights.
func limitOf(tid int, name string) (unix.Rlimit, error) {
	d, err := proc.Open(tid)
	if err != nil {
		return unix.Rlimit{}, err
	}
	defer d.Close()
	text, err := d.ReadFile("limits")
	if err != nil {
		return unix.Rlimit{}, err
	}
	_, line, ok := strings.Cut(string(text), name)
	fields := strings.Fields(line)
	if !ok || len(fields) < 2 {
		return unix.Rlimit{}, fmt.Errorf("no %q in /proc/%d/limits", name, tid)
	}
	return unix.Rlimit{Cur: limit(fields[0]), Max: limit(fields[1])}, nil
}

// limit is a number of /proc/TID/limits.
func limit(s string) uint64 {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return unix.RLIM_INFINITY // "unlimited"
	}
	return n
}

// setLimit has the tracee set a limit of its own.
func setLimit(t *ptrace.Injection, resource uintptr, to unix.Rlimit) error {
	b := binary.LittleEndian.AppendUint64(nil, to.Cur)
	at, err := t.Args(binary.LittleEndian.AppendUint64(b, to.Max))
	if err != nil {
		return err
	}
	_, err = t.Call(unix.SYS_PRLIMIT64, 0, resource, at, 0)
	return err
}
