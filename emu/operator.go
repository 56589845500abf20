// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"
	"golang.org/x/sys/unix"

	"cloneat-emu/emu/launch"
	"cloneat-emu/emu/proc"
)

// initialised is set by Init.
var initialised bool

// Init must be the first thing in main (and TestMain) of a program that uses Command:
// the operator and the other stages are the same executable again, and this is where
// they go their own way, never to return.
func Init() {
	initialised = true
	switch launch.Stage() {
	case launch.StageInit:
		runInit()
	case launch.StageOperator:
		runOperator()
	default:
		launch.Run()
	}
}

// operator serves one program.
type operator struct {
	cfg       operatorConfig
	front     int // pidfd of the front
	keeper    int // socket to the keeper and, before, the exec stage
	keeperPid int
	ended     atomic.Bool // the program has
	reports   *reporter
	server    *Server
	cancel    context.CancelFunc
}

// runOperator is the operator's main function. Its descriptors: the socket for the
// keeper, the one for reports, the pidfd of the front.
func runOperator() {
	signal.Ignore(append(launch.Forwarded(), unix.SIGPIPE)...)
	spec, own, err := launch.Enter(3)
	if err == nil {
		err = launch.QuietStops()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	o := &operator{front: own[2], reports: newReporter(own[1])}
	if err := o.run(spec, own[0]); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", launch.StageOperator, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func (o *operator) run(spec *launch.Spec, keeperToFront int) error {
	if err := json.Unmarshal(spec.Extra, &o.cfg); err != nil {
		return err
	}
	if err := errors.Join(proc.Own(), enoughFiles()); err != nil {
		return err
	}
	reserveThreads()
	ours, theirs, err := launch.Pair()
	if err != nil {
		return err
	}
	o.keeper = ours
	o.keeperPid, err = launch.StartKeeper(spec, []int{keeperToFront, theirs})
	unix.Close(theirs)
	unix.Close(keeperToFront)
	if err != nil {
		return err
	}
	launch.LiftLimits()
	spec.DropFiles(2) // the log goes to 2
	listener, _, err := launch.ReceiveListener(ours)
	if listener != nil {
		err = o.serve(listener)
	} else {
		o.ended.Store(true) // the keeper tells the front why the program did not start
	}
	o.reap()
	return err
}

// reap collects the keeper, which is about to end, so that its time and the program's
// count as ours, and with us as the front's. A keeper that has lost its front alone
// leaves when we do.
func (o *operator) reap() {
	if o.ended.Load() {
		for errors.Is(waitFor(o.keeperPid), unix.EINTR) {
		}
	}
}

// waitFor waits for one child of ours, never for any: tracees are among those.
func waitFor(pid int) error {
	_, err := unix.Wait4(pid, nil, 0, nil)
	return err
}

// serve answers calls until the program (with Linger: all that it left) has ended, or
// the front has died.
func (o *operator) serve(listener *os.File) error {
	ctx, cancel := context.WithCancel(context.Background())
	o.cancel = cancel
	defer cancel()
	log, err := newLog(o.cfg.LogLevel, o.cfg.LogFormat)
	if err != nil {
		return err
	}
	debug.SetGCPercent(gcPercent)
	cfg := Config{
		Engine: o.cfg.Engine, PIDDriver: o.cfg.PIDDriver, BestEffort: o.cfg.BestEffort,
		Log: log, fault: o.cfg.Fault,
	}
	if !o.cfg.Unwatched {
		cfg.OnEvent = o.reports.event
	}
	o.server = NewServer(listener, cfg)
	go o.watch()
	err = o.server.Serve(ctx)
	if ctx.Err() == nil {
		o.ended.Store(true) // nobody has the filter any more: the program has ended
	} else {
		err = nil
	}
	o.reports.close()
	return err
}

// watch waits for the front's death or the program's end, whichever comes first.
func (o *operator) watch() {
	fds := []unix.PollFd{{Fd: int32(o.front), Events: unix.POLLIN}, {Fd: int32(o.keeper), Events: unix.POLLIN}}
	for {
		if _, err := unix.Poll(fds, -1); err != nil {
			continue // EINTR
		}
		break
	}
	if fds[1].Revents != 0 {
		o.ended.Store(true)
		o.reports.end()
		if o.cfg.Linger {
			return
		}
	}
	o.cancel()
	time.AfterFunc(lastCalls, func() {
		if o.server.pool.serving() {
			o.reports.busy()
		}
	})
}

// lastCalls is how long the front stays for calls under way of what the program left
// running.
const lastCalls = time.Second

// newLog is the operator's log, on stderr.
func newLog(level, format string) (*logrus.Logger, error) {
	log := logrus.New()
	log.SetOutput(os.Stderr)
	if format == "json" {
		log.SetFormatter(new(logrus.JSONFormatter))
	}
	if level == "" {
		level = "error"
	}
	l, err := logrus.ParseLevel(level)
	if err != nil {
		return nil, err
	}
	log.SetLevel(l)
	return log, nil
}

// gcPercent lets the heap grow to some tens of megabytes (4 MB for each 100) before
// it is collected: what lives is small, and what calls leave behind would be collected
// every third call, by threads that compete with the caller.
const gcPercent = 800
