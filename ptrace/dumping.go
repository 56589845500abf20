// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"bytes"
	"fmt"
	"strconv"
	"time"
)

// AwaitCalm waits until a thread that is about to be interrupted can be, without harm: ErrBusy
// after half a second.
func AwaitCalm(tid int) error {
	if err := AwaitPage(tid); err != nil {
		return err
	}
	return awaitDump(tid)
}

// awaitDump waits for the end of a core dump that the thread writes. An interrupt would cut it
// short where a pipe takes it: a write to one ends for any signal (pipe_write() in fs/pipe.c).
func awaitDump(tid int) error {
	for end := time.Now().Add(deepBound); dumps(tid); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			return fmt.Errorf("pid %d writes a core dump: %w", tid, ErrBusy)
		}
	}
	return nil
}

// dumps looks at the flags in /proc/TID/stat: the ninth field, and the seventh behind the name.
func dumps(tid int) bool {
	const dumpCore = 0x200 // PF_DUMPCORE
	b, err := readProc(tid, "stat")
	if err != nil {
		return false
	}
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(fields) < 7 {
		return false
	}
	flags, err := strconv.ParseUint(string(fields[6]), 10, 64)
	return err == nil && flags&dumpCore != 0
}
