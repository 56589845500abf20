// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"encoding/json"
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/launch"
)

// operatorConfig is what the operator needs beyond the program's description.
type operatorConfig struct {
	Engine, PIDDriver   string
	BestEffort, Linger  bool
	Unwatched           bool
	LogLevel, LogFormat string
	Fault               string `json:",omitempty"`
}

// startStages starts the operator (below an init where UserNS asks for one).
func (c *Cmd) startStages() error {
	spec, closeNull, err := c.spec()
	if err != nil {
		return err
	}
	defer closeNull()
	front, keeper, err := launch.Pair()
	if err != nil {
		return err
	}
	defer unix.Close(keeper)
	reader, writer, err := launch.Pair()
	if err != nil {
		unix.Close(front)
		return err
	}
	defer unix.Close(writer)
	if c.events, err = c.listenTo(reader); err != nil {
		unix.Close(front)
		return err
	}
	c.front = front
	self, err := unix.PidfdOpen(os.Getpid(), 0)
	if err == nil {
		defer unix.Close(self)
		stage, sys := launch.StageOperator, (*syscall.SysProcAttr)(nil)
		if c.UserNS {
			stage, sys = launch.StageInit, launch.OwnNamespaces()
		}
		c.first, err = launch.Start(stage, spec, []int{keeper, writer, self}, sys)
	}
	if err != nil {
		unix.Close(writer) // ends the stream
		c.finish(false)
		return err // no StartError: the program is not to blame
	}
	return nil
}

// listenTo reads the reports of sock, which it owns, or has the witness do it.
func (c *Cmd) listenTo(sock int) (*eventStream, error) {
	if c.Witness != nil {
		return c.startWitness(sock)
	}
	return newEventStream(sock, c.event, c.stats.miss), nil
}

func errnoOf(err error) (errno unix.Errno) {
	errors.As(err, &errno)
	return errno
}

// spec describes the program for the stages. done closes what it had to open.
func (c *Cmd) spec() (spec *launch.Spec, done func(), err error) {
	if err := c.checkWords(); err != nil {
		return nil, nil, err
	}
	extra, err := json.Marshal(operatorConfig{
		Engine: c.Config.Engine, PIDDriver: c.Config.PIDDriver, BestEffort: c.Config.BestEffort,
		Linger: c.Linger, Unwatched: c.Unwatched, Fault: c.Config.fault, LogLevel: c.LogLevel, LogFormat: c.LogFormat,
	})
	if err != nil {
		return nil, nil, err
	}
	numbers, err := prototypeNumbers(c.Prototypes)
	if err != nil {
		return nil, nil, err
	}
	spec = &launch.Spec{Path: c.Path, Args: c.Args, Env: c.environ(), Dir: c.Dir, Numbers: numbers, Extra: extra}
	if c.Inherit {
		spec.Signals, spec.Kept = launch.Inherited(), launch.InheritedKept()
		spec.Files, err = launch.InheritedFiles()
		return spec, func() {}, err
	}
	spec.Signals = launch.Handed()
	return c.withFiles(spec)
}

func (c *Cmd) environ() []string {
	switch {
	case c.Env != nil:
		return lastOfEach(c.Env)
	case c.Inherit:
		return launch.InheritedEnv()
	}
	return os.Environ()
}

// withFiles puts the command's files at the numbers that the program wants.
func (c *Cmd) withFiles(spec *launch.Spec) (*launch.Spec, func(), error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, nil, err
	}
	for fd, f := range append([]*os.File{c.Stdin, c.Stdout, c.Stderr}, c.ExtraFiles...) {
		if f == nil && fd <= 2 {
			f = null
		}
		if f == nil {
			continue
		}
		spec.Files = append(spec.Files, fd)
		spec.Sources = append(spec.Sources, int(f.Fd()))
	}
	return spec, func() { null.Close() }, nil
}

// finish collects the last events and, unless it lingers, the supervisor itself, so
// that its time and the program's count as this process's children's.
func (c *Cmd) finish(linger bool) {
	c.writing.Lock()
	unix.Close(c.front)
	c.front = -1
	c.writing.Unlock()
	c.events.drain(linger)
	if c.first == 0 {
		return
	}
	child, err := os.FindProcess(c.first)
	if err != nil {
		return
	}
	gone := make(chan struct{})
	go func() { _, _ = child.Wait(); close(gone) }()
	switch {
	case linger || c.events.busy.Load(): // what the program left running is still served
	case c.UserNS:
		select {
		case <-gone:
		case <-time.After(initLeaves):
		}
	default:
		<-gone
	}
}

// initLeaves is what the init stage takes to leave when nothing was left running;
// otherwise it stays.
const initLeaves = 50 * time.Millisecond
