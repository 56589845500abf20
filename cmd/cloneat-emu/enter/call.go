// SPDX-License-Identifier: Apache-2.0

package enter

import (
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"

	"cloneat-emu/cmd/cloneat-emu/stage"
)

// sysCloneat is the number of the call.
const sysCloneat = 511

// driverName is how a process knows, by its argv[0], that it is a driver.
const driverName = "cloneat-exec-driver"

// driverOrder is what a driver has to know.
type driverOrder struct {
	Options Options
	Target  int
	FD      [4]int // numbers in the stage: pidfd, root, cwd, running
	Keep    []int
	Third   int
	Env     []string
}

// Call runs a command in a container below us, by the call. The caller must be
// an ancestor of the target, and a Go process must not be cloned: so this process
// becomes the stage, under its own pid, and a child of it, the driver, gives the
// orders (see [Init]). The stage exits with the command's status.
//
//	this process ── starts ──► driver
//	      │ exec                  │
//	    stage  ◄── orders ────────┘
//	      │ cloneat(target) ··· the command, child of the target
//
// It returns only if it fails.
func Call(o *Options, t *Target) error {
	if below, err := t.dir.DescendsFrom(os.Getpid()); err != nil {
		return err
	} else if !below {
		return fmt.Errorf("target %d is not a descendant of this process, which the call wants it to be: "+
			"exec the command from its ancestor, or use --admin: %w", t.PID, unix.EPERM)
	}
	r, err := newRun(o, t)
	if err != nil {
		return err
	}
	defer r.close()
	m, err := stage.New()
	if err != nil {
		return err
	}
	if err := r.startDriver(m); err != nil {
		return err
	}
	in, out, errs := r.stdio()
	return m.Become([3]*os.File{in, out, errs}, r.table.extra())
}

// startDriver starts the process that gives the orders. It has what this one has
// as its standard input and output, and further the memory, the end of the pipe,
// the end of another one that tells it what to do, and the terminal.
func (r *run) startDriver(m *stage.Machine) error {
	o := driverOrder{
		Options: *r.o, Target: r.t.PID, Keep: r.table.keep, Third: r.table.third, Env: os.Environ(),
		FD: [4]int{r.fd.pidfd, r.fd.root, r.fd.cwd, r.fd.running},
	}
	orders, writer, err := os.Pipe()
	if err != nil {
		return err
	}
	defer writer.Close()
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{driverName}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{m.Shared(), r.pipe, orders}
	if r.tty != nil {
		cmd.ExtraFiles = append(cmd.ExtraFiles, r.tty.master, r.tty.slave)
	}
	err = cmd.Start()
	orders.Close()
	if err == nil {
		err = gob.NewEncoder(writer).Encode(&o)
	}
	if err == nil {
		err = awaitDriver(m, cmd.Process.Pid)
	}
	if err != nil {
		return fmt.Errorf("driver: %w", err)
	}
	return nil
}

// awaitDriver waits until the stage will notice the driver's death.
func awaitDriver(m *stage.Machine, pid int) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if !m.AwaitOwner(func() bool { return stage.Exited(fd) }) {
		return errors.New("it has ended before it began")
	}
	return nil
}

// callArgs lays out a struct cloneat_args: flags 0 and SIGCHLD.
func callArgs(s *steps) uintptr {
	words := s.bytes(binary.NativeEndian.AppendUint32(nil, uint32(unix.SIGCHLD)))
	var a [64]byte
	binary.NativeEndian.PutUint64(a[0:], uint64(words))
	binary.NativeEndian.PutUint32(a[8:], 4) // flags_size, in bytes
	return s.bytes(a[:])
}

// callError explains what the call answers.
func (r *run) callError(err error) error {
	switch {
	case errors.Is(err, unix.EEXIST):
		return r.cloneError(err)
	case errors.Is(err, unix.ENOSYS):
		return fmt.Errorf("there is no cloneat here: run the whole under cloneat-emu run, or use --admin: %w", err)
	}
	return fmt.Errorf("cloneat(%d, %d): %w", r.t.PID, r.o.Hint, err)
}
