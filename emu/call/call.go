// SPDX-License-Identifier: Apache-2.0

// Package call makes the system call cloneat from a Go program, for one purpose:
// to start a command as a child of another process.
//
// A child has one thread only, the one that called. In a Go program it is without
// scheduler, garbage collector and the threads that hold their locks, so it must not
// run Go code: there is no fork here. As in [syscall.ForkExec] everything is prepared
// before the call, and the child makes raw system calls until it runs its command.
//
// The call is there on a patched kernel and under cloneat-emu run.
//
// Lock order: [syscall.ForkLock] is held for writing during the call, so that no
// descriptor that another goroutine is about to mark close-on-exec crosses. All
// functions may be called from any goroutine.
package call

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// Command is what a child runs, looked up where the child lives: in the mount
// namespace of its target. It has our descriptors 0, 1 and 2, our credentials and
// limits, and no signal handlers.
type Command struct {
	Path string   // of the executable
	Args []string // with the name that it is called by first
	Env  []string // nil: ours
}

// Child is a started command. Only its parent can wait for it.
type Child struct {
	PID   int      // in our pid namespace
	PIDFD *os.File // readable when the child has ended; the caller closes it
}

// Start runs the command as a child of the process pid, which must be a descendant
// of this one, in its namespaces; with the pid hint in there unless that is 0. It
// returns when the command runs.
//
// Errors wrap the [unix.Errno] of cloneat, or of execve if the child could not run
// the command: then it has ended with status 127, and its parent reaps it.
func (c *Command) Start(pid, hint int) (*Child, error) {
	if int(int32(pid)) != pid || int(int32(hint)) != hint { // the kernel would cut them to that
		return nil, fmt.Errorf("cloneat(%d, %d): no numbers of processes: %w", pid, hint, unix.EINVAL)
	}
	x, err := c.prepare()
	if err != nil {
		return nil, err
	}
	failed, fails, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("pipe for the command's failure: %w", err)
	}
	defer failed.Close()
	child, err := clone(pid, hint, x, fails)
	fails.Close()
	if err != nil {
		return nil, fmt.Errorf("cloneat(%d, %d): %w", pid, hint, err)
	}
	if err := execError(failed); err != nil {
		child.PIDFD.Close()
		return nil, fmt.Errorf("execve %s in child %d of %d: %w", c.Path, child.PID, pid, err)
	}
	return child, nil
}

// Wait waits until the child has ended. Its status is its parent's to have.
func (c *Child) Wait() error {
	for {
		_, err := unix.Poll([]unix.PollFd{{Fd: int32(c.PIDFD.Fd()), Events: unix.POLLIN}}, -1)
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("poll of child %d: %w", c.PID, err)
		}
	}
}

// prepare puts the command into the form that execve takes.
func (c *Command) prepare() (*vectors, error) {
	env := c.Env
	if env == nil {
		env = os.Environ()
	}
	x := new(vectors)
	var err error
	if x.path, err = unix.BytePtrFromString(c.Path); err != nil {
		return nil, fmt.Errorf("path %q: %w", c.Path, err)
	}
	if x.args, err = syscall.SlicePtrFromStrings(c.Args); err != nil {
		return nil, fmt.Errorf("arguments %q: %w", c.Args, err)
	}
	if x.env, err = syscall.SlicePtrFromStrings(env); err != nil {
		return nil, fmt.Errorf("environment: %w", err)
	}
	return x, nil
}

// clone makes the call, from a thread that no signal reaches meanwhile: a handler
// of Go's would run in the child, too.
func clone(pid, hint int, x *vectors, fails *os.File) (*Child, error) {
	fd := int(fails.Fd())
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	syscall.ForkLock.Lock()
	defer syscall.ForkLock.Unlock()

	var all, old unix.Sigset_t
	for i := range all.Val {
		all.Val[i] = ^uint64(0)
	}
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &all, &old); err != nil {
		return nil, fmt.Errorf("block signals: %w", err)
	}
	child, pidfd, errno := cloneAndExec(pid, hint, x, fd, &old)
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &old, nil); err != nil {
		panic(err) // cannot be: it was the mask a moment ago
	}
	if errno != 0 {
		return nil, errno
	}
	return &Child{PID: child, PIDFD: os.NewFile(uintptr(pidfd), "pidfd")}, nil
}

// execError reads what the child could not do. The pipe ends empty when the command
// runs, as its end there is close-on-exec.
func execError(failed io.Reader) error {
	var b [4]byte
	if _, err := io.ReadFull(failed, b[:]); err != nil {
		return nil
	}
	return unix.Errno(binary.NativeEndian.Uint32(b[:]))
}
