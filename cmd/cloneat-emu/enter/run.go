// SPDX-License-Identifier: Apache-2.0

package enter

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"cloneat-emu/cmd/cloneat-emu/stage"
	"cloneat-emu/emu/proc"
)

// run is one command on its way in.
type run struct {
	o      *Options
	t      *Target
	rights *rights
	table  *descriptors
	fd     numbers
	pipe   *os.File // closes when the command has been executed
	pipeW  *os.File
	hand   *os.File // our end of what a task hands over
	tty    *terminal
	mask   uintptr // address of the signal mask for the command, 0: the stage's
	env    []string
	// watches tells to be the command's tracer, to learn its exit status.
	watches bool
	// inside tells that the command is born in all of the target's namespaces.
	inside bool
	// heed is called before the command begins, and signals that come then are its.
	heed func() relay
}

// newRun opens and reads everything that can fail before there is a process.
func newRun(o *Options, t *Target) (*run, error) {
	r := &run{o: o, t: t, heed: heed}
	if err := r.prepare(); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func (r *run) prepare() error {
	if len(r.o.Command) == 0 {
		return errors.New("no command")
	}
	var err error
	if r.rights, err = newRights(r.o, r.t); err != nil {
		return err
	}
	if r.table, err = newDescriptors(r.o.Keep); err != nil {
		return err
	}
	if r.pipe, r.pipeW, err = os.Pipe(); err != nil {
		return err
	}
	if r.o.TTY {
		if r.tty, err = newTerminal(r.t.root); err != nil {
			return err
		}
	}
	r.fd = numbers{
		pidfd: r.table.add(r.t.pidfd), root: r.table.add(r.t.root),
		cwd: r.table.add(r.t.cwd), running: r.table.add(r.pipeW),
	}
	return nil
}

// close gives back what newRun took.
func (r *run) close() {
	for _, f := range []*os.File{r.pipe, r.pipeW, r.hand} {
		if f != nil {
			_ = f.Close()
		}
	}
	if r.table != nil {
		r.table.close()
	}
}

// stdio are the descriptors 0, 1 and 2 of the stage.
func (r *run) stdio() (in, out, errs *os.File) {
	if r.tty != nil {
		return r.tty.slave, r.tty.slave, r.tty.slave
	}
	return os.Stdin, os.Stdout, os.Stderr
}

// born is the process that becomes the command.
type born struct {
	task  *stage.Task
	pidfd *os.File
	dir   *proc.Dir     // of its number here
	ended <-chan ending // from its tracer, nil if it has none
}

// openBorn opens a process by its pidfd.
func openBorn(task *stage.Task, pidfd *os.File) (*born, error) {
	pid, err := pidOf(pidfd)
	if err != nil {
		return nil, err
	}
	dir, err := proc.Open(pid)
	if err != nil {
		return nil, err
	}
	return &born{task: task, pidfd: pidfd, dir: dir}, nil
}

// close lets go of the process; it goes on.
func (b *born) close() {
	_ = b.pidfd.Close()
	_ = b.dir.Close()
}

// finish turns the born process into the command and waits for its end. It is
// killed if that fails, so that nothing is left behind.
func (r *run) finish(b *born, flags uintptr) (int, error) {
	err := r.become(b.task, b.dir.PID, flags)
	if err == nil && r.tty != nil {
		err = r.tty.begin(r.o.Interactive)
	}
	if err == nil && r.watches {
		// Whoever cannot trace it finds a zombie, or not: see await.
		if ended, err := watch(b.dir.PID); err == nil {
			b.ended = ended
		}
	}
	var signals relay
	if err == nil {
		signals = r.heed()
		env := environment(r.environ(), r.o.Env, r.rights.user)
		_ = r.pipeW.Close()
		err = execute(b.task, r.pipe, r.o.Command, env)
	}
	if err != nil {
		_ = unix.PidfdSendSignal(int(b.pidfd.Fd()), unix.SIGKILL, nil, 0)
		if r.tty != nil {
			r.tty.abandon()
		}
		return StatusFailed, err
	}
	stop := signals(func(sig unix.Signal) { r.pass(b.pidfd, sig) })
	ws, err := await(b)
	stop()
	if r.tty != nil {
		r.tty.end()
	}
	if err != nil {
		return StatusFailed, err
	}
	return shellStatus(ws), nil
}

// environ is what the command's environment is made from.
func (r *run) environ() []string {
	if r.env != nil {
		return r.env
	}
	return os.Environ()
}

// pidOf is the number of a pidfd's process in our pid namespace.
func pidOf(pidfd *os.File) (int, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", pidfd.Fd()))
	if err != nil {
		return 0, fmt.Errorf("pidfd: %w", err)
	}
	return parsePid(b)
}
