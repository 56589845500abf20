// SPDX-License-Identifier: Apache-2.0

package launch

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/listen"
)

// Exec becomes the program, with the signals that it is to find. It returns only if
// that fails. Precondition: the goroutine is locked to its OS thread.
//
// The soft limit of descriptors, which package os raised, is put back by
// syscall.Exec. A text file without "#!" goes to the shell, as execvp(3) has it.
func (s *Spec) Exec() error {
	if s.Dir != "" {
		if err := unix.Chdir(s.Dir); err != nil {
			return fmt.Errorf("chdir %s: %w", s.Dir, err)
		}
	}
	if err := s.Kept.set(); err != nil {
		return err
	}
	if err := s.Signals.restore(); err != nil {
		return err
	}
	err := syscall.Exec(s.Path, s.Args, s.Env)
	if errors.Is(err, unix.ENOEXEC) {
		args := append([]string{"/bin/sh", s.Path}, s.Args[1:]...)
		err = syscall.Exec("/bin/sh", args, s.Env)
	}
	return fmt.Errorf("exec %s: %w", s.Path, err)
}

// restore makes every disposition and the mask what the program is to find. The mask
// comes last: until then the runtime may want its signals.
func (s Signals) restore() error {
	for sig := 1; sig <= nsig; sig++ {
		if sig == int(unix.SIGKILL) || sig == int(unix.SIGSTOP) {
			continue
		}
		act := sigaction{handler: sigDfl}
		if s.ignored(sig) {
			act.handler = sigIgn
		}
		if err := setAction(sig, &act, nil); err != nil {
			return err
		}
	}
	setMask(s.Blocked)
	return nil
}

// execStage is the program before it is the program. Its descriptors: the socket to
// the operator, and the pipe that tells the keeper of an error (and of success by
// being closed in the exec).
func execStage() {
	spec, own, err := Enter(2)
	if err == nil {
		err = becomeProgram(spec, own[0])
	}
	if len(own) > 1 {
		reportError(own[1], err)
	}
	os.Exit(1)
}

func becomeProgram(spec *Spec, operator int) error {
	fd, got, err := listen.Install(spec.Numbers...)
	if err != nil {
		return err
	}
	if err := sendListener(operator, fd, got); err != nil {
		return err
	}
	unix.Close(fd)
	return spec.Exec()
}

// reportError writes err to the keeper's pipe.
func reportError(pipe int, err error) {
	m := Message{Kind: Failed, Text: err.Error()}
	errors.As(err, &m.Errno)
	_ = Write(pipe, m) // the keeper is gone: nobody is left to be told
}
