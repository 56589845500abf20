// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/launch"
	"cloneat-emu/internal/lookup"
	"cloneat-emu/ptrace"
)

// Cmd is a program that runs with cloneat available, together with all that it
// starts. It is used as [exec.Cmd] is:
//
//	func main() {
//		emu.Init() // first of all: the stages of a command are this executable again
//		cmd := emu.Command("make", "test")
//		cmd.Stdout = os.Stdout
//		err := cmd.Run()
//		...
//		fmt.Println(cmd.Stats().Calls)
//	}
type Cmd struct {
	// Path is the file to execute, Args its argv (the name included).
	Path string
	Args []string
	// Env is the environment; nil: this process's. Of a name that is there twice the last
	// value counts.
	Env []string
	// Dir is the working directory; empty: this process's.
	Dir string
	// Stdin, Stdout and Stderr; nil: /dev/null. ExtraFiles[i] becomes descriptor 3+i.
	Stdin, Stdout, Stderr *os.File
	ExtraFiles            []*os.File
	// Inherit hands down what this process was itself started with instead: every
	// descriptor without close-on-exec at its own number, ignored and blocked signals.
	Inherit bool

	// Config says how calls are served. OnEvent is called in this process, one event
	// at a time. Log cannot be handed to another process: LogLevel and LogFormat
	// ("text", "json") say what the operator writes to this process's stderr.
	Config              Config
	LogLevel, LogFormat string
	// Prototypes are calls besides cloneat that the program is to have, of those that
	// the function Prototypes names.
	Prototypes []string
	// Witness, if set, is started by Start to hear of the calls in this process's
	// place, by the function Witness, so that it can go on after this process's end as
	// what Linger serves does. OnEvent is not called then, and Stats stays empty.
	Witness *exec.Cmd
	// Unwatched lets the operator tell this process of no call, which costs it and the
	// caller's processor some time: OnEvent is not called, and Stats stays empty.
	Unwatched bool
	// Linger serves what the program leaves running until the last of it ends.
	Linger bool
	// UserNS gives the program a user, pid and mount namespace of its own, in which
	// it is root: what it takes to run without privilege.
	UserNS bool
	// OnState, if set, is told of job control stops (the signal) and of being
	// continued (0).
	OnState func(stopped int)
	// OnKilled, if set, is called if the supervisor is killed while the program runs, whose
	// calls fail with ENOSYS from then on. Not with UserNS.
	OnKilled func()

	// Pid is the program's process id once it is started, in its own pid namespace.
	Pid int

	err     error // of looking Path up
	started bool
	told    atomic.Int64 // the number of the last stop of the program that we were told of
	over    atomic.Int64 // and of the last one that we are done with
	front   int          // socket to the keeper; -1 when it is closed
	first   int          // pid of the stage that we started: our child
	writing sync.Mutex
	status  *unix.WaitStatus
	events  *eventStream
	stats   collector
	done    chan struct{}
}

// Command returns the command that runs name with args. A name without a slash is looked
// up in PATH, as execvp(3) does it; an error of the lookup comes from Start, as in os/exec.
func Command(name string, args ...string) *Cmd {
	path, err := lookup.Program(name)
	return &Cmd{Path: path, Args: append([]string{name}, args...), err: err}
}

// Run starts the program and waits for it.
func (c *Cmd) Run() error {
	if err := c.Start(); err != nil {
		return err
	}
	return c.Wait()
}

// StartError says why a program could not be started.
type StartError struct {
	Path  string
	Errno unix.Errno // 0 if it is no error of a system call
	text  string
}

func (e *StartError) Error() string { return e.text }

// Unwrap makes errors.Is(err, unix.ENOENT) and the like work.
func (e *StartError) Unwrap() error {
	if e.Errno == 0 {
		return nil
	}
	return e.Errno
}

// ExitError is an unsuccessful end of the program.
type ExitError struct{ Status unix.WaitStatus }

func (e *ExitError) Error() string {
	if e.Status.Signaled() {
		return fmt.Sprintf("signal: %s", e.Status.Signal())
	}
	return fmt.Sprintf("exit status %d", e.Status.ExitStatus())
}

// ErrNotInit: main does not call Init.
var ErrNotInit = errors.New("emu: main must call emu.Init before anything else")

// ErrLost: the keeper was killed, so that the program's end cannot be known.
var ErrLost = errors.New("the program's keeper was killed: what became of the program is unknown")

// Start starts the program and returns once it was executed.
func (c *Cmd) Start() error {
	switch {
	case !initialised:
		return ErrNotInit
	case !ptrace.Supported:
		return ptrace.ErrArch
	case c.err != nil:
		return c.lookupError()
	case c.started:
		return errors.New("emu: already started")
	}
	if err := enoughFiles(); err != nil {
		return err // without, what is asked next fails as well
	}
	if err := errors.Join(launch.Answered(), enoughStack(), enoughTasks(), kernelLacks(), mayTrace(c.UserNS)); err != nil {
		return err
	}
	if c.UserNS {
		if err := launch.TryNamespaces(); err != nil {
			return err
		}
	}
	c.started, c.front = true, -1
	if err := c.startStages(); err != nil {
		return err
	}
	if err := c.awaitStart(); err != nil {
		c.finish(false)
		return err
	}
	c.done = make(chan struct{})
	go c.watch()
	if c.OnKilled != nil && !c.UserNS {
		go c.mourn()
	}
	if c.Inherit && adopts() {
		go c.reapOrphans()
	}
	return nil
}

// lookupError is why Path was not found.
func (c *Cmd) lookupError() error {
	errno := errnoOf(c.err)
	if errors.Is(c.err, exec.ErrNotFound) {
		errno = unix.ENOENT
	}
	return &StartError{Path: c.Path, Errno: errno, text: c.err.Error()}
}

// awaitStart reads the keeper's first message.
func (c *Cmd) awaitStart() error {
	var m launch.Message
	err := launch.Read(c.front, &m)
	switch {
	case errors.Is(err, io.EOF):
		return &StartError{Path: c.Path, text: "the supervisor ended before it said whether the program was started"}
	case err != nil:
		return err
	case m.Kind == launch.Failed:
		return &StartError{Path: c.Path, Errno: m.Errno, text: m.Text}
	}
	c.Pid = m.Pid
	return nil
}

// watch follows the keeper's reports to the last.
func (c *Cmd) watch() {
	defer close(c.done)
	for {
		var m launch.Message
		if err := launch.Read(c.front, &m); err != nil {
			return
		}
		switch m.Kind {
		case launch.Stopped:
			c.stopped(m)
		case launch.Continued:
			c.tell(0)
		case launch.Ended:
			status := unix.WaitStatus(m.Status)
			c.status = &status
			return
		}
	}
}

// stopped tells of a stop unless it is over already, and says when that is done.
func (c *Cmd) stopped(m launch.Message) {
	pid := c.Pid
	if c.UserNS {
		pid = 0 // a number of another pid namespace
	}
	c.told.Store(int64(m.Stop))
	if !launch.OutOfDate(c.front, pid) {
		c.tell(m.Signal)
	}
	c.over.Store(int64(m.Stop))
	_ = c.send(launch.Message{Kind: launch.Resumed, Stop: m.Stop})
}

func (c *Cmd) tell(stopped int) {
	if c.OnState != nil {
		c.OnState(stopped)
	}
}

// Wait waits for the program to end: nil for exit status 0, an *ExitError otherwise.
// By then, without Linger, every event of a call that the program itself made has
// been told, and the supervisor is gone.
func (c *Cmd) Wait() error {
	if c.done == nil {
		return errNotStarted
	}
	<-c.done
	c.finish(c.Linger)
	return c.end()
}

// Ended reports whether the program has ended, and how, as Wait tells it, which may still
// wait for the last events to be told.
func (c *Cmd) Ended() (over bool, err error) {
	select {
	case <-c.done:
		return true, c.end()
	default:
		return false, nil
	}
}

func (c *Cmd) end() error {
	switch {
	case c.status == nil:
		return ErrLost
	case *c.status != 0:
		return &ExitError{*c.status}
	}
	return nil
}

// Signal sends sig to the program.
func (c *Cmd) Signal(sig unix.Signal) error {
	if sig < 0 || sig > lastSignal {
		return fmt.Errorf("emu: signal %d: %w", int(sig), unix.EINVAL)
	}
	return c.send(launch.Message{Kind: launch.Kill, Signal: int(sig)})
}

// Relay is Signal for a signal that came to this process: it is not sent where the
// whole process group had it, and so the program too.
func (c *Cmd) Relay(sig unix.Signal) error {
	before := &c.over // a stop signal is part of the stop that we are told of
	if sig == unix.SIGCONT {
		before = &c.told // and this ends it
	}
	return c.send(launch.Message{Kind: launch.Relay, Signal: int(sig), Stop: int(before.Load())})
}

func (c *Cmd) send(m launch.Message) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	switch {
	case !c.started:
		return errNotStarted
	case c.front < 0:
		return os.ErrProcessDone
	}
	return launch.Write(c.front, m)
}

var errNotStarted = errors.New("emu: not started")
