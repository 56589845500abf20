// SPDX-License-Identifier: Apache-2.0

package enter

import (
	"fmt"

	"golang.org/x/sys/unix"

	"cloneat-emu/cmd/cloneat-emu/stage"
)

// steps makes calls in a task until one fails; the first failure is kept, with
// the words of the step.
type steps struct {
	task *stage.Task
	err  error
}

// call makes one call, unless one before it failed.
func (s *steps) call(what string, nr uint64, args ...uintptr) uintptr {
	if s.err != nil {
		return 0
	}
	ret, err := s.task.Call(nr, args...)
	if err != nil {
		s.err = fmt.Errorf("%s: %w", what, err)
	}
	return ret
}

// str puts a string into the shared memory.
func (s *steps) str(text string) uintptr { return s.bytes(append([]byte(text), 0)) }

// bytes puts bytes into the shared memory.
func (s *steps) bytes(p []byte) uintptr {
	if s.err != nil {
		return 0
	}
	addr, err := s.task.Machine().Bytes(p)
	if err != nil {
		s.err = err
	}
	return addr
}

// do runs a step that is not a call.
func (s *steps) do(f func() error) {
	if s.err == nil {
		s.err = f()
	}
}

// undumpable keeps everybody without CAP_SYS_PTRACE over our user namespace
// from reading or tracing the task, until it execs.
func (s *steps) undumpable() {
	s.call("prctl(PR_SET_DUMPABLE)", unix.SYS_PRCTL, unix.PR_SET_DUMPABLE, 0)
}
