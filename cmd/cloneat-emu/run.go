// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu"
	"cloneat-emu/emu/launch"
	"cloneat-emu/internal/threads"
)

// runCmd is "cloneat-emu run".
type runCmd struct {
	Trace      traceFlag `placeholder:"FILE" help:"A line per call in strace's manner, on stderr or with --trace=FILE in a file."`
	Stats      bool      `help:"A table of the calls at the end, on stderr."`
	Engine     string    `enum:"auto,self,shared,init,transplant" default:"auto" help:"Force the way a child is made (${enum})."`
	PidDriver  string    `name:"pid-driver" enum:"auto,set_tid,ns_last_pid" default:"auto" help:"Force the way an exact pid is had (${enum})."`
	Userns     bool      `help:"Run the program as root of a user, pid and mount namespace of its own: needs no privilege."`
	BestEffort bool      `help:"Let a call succeed that leaves something of the target in the child; what is left over is logged."`
	Linger     bool      `help:"Serve what the program leaves running until the last of it ends."`
	Prototype  []string  `placeholder:"CALL" help:"Emulate this call too, which is no part of the proposal: see docs/prototype.md."`
	Force      bool      `help:"Emulate even where the call exists."`
	LogLevel   string    `enum:"panic,fatal,error,warn,info,debug,trace" default:"error" help:"What to log on stderr (${enum})."`
	LogFormat  string    `enum:"text,json" default:"text" help:"How (${enum})."`
	Program    []string  `arg:"" passthrough:"partial" help:"The program and its arguments, after --."`
}

// Validate is asked when the command line has been read.
func (r *runCmd) Validate() error {
	known := emu.Prototypes()
	for _, name := range r.Prototype {
		if !slices.Contains(known, name) {
			return fmt.Errorf("--prototype: no call is named %q (there is: %s)", name, strings.Join(known, ", "))
		}
	}
	return nil
}

// Exit statuses as env(1) and nohup(1) have them.
const (
	statusOurs       = 125 // the supervisor failed
	statusNotRun     = 126 // the program was found and could not be executed
	statusNotFound   = 127
	statusSignalBase = 128
)

// Run runs the program and becomes its exit status.
func (r *runCmd) Run() error {
	if r.Program[0] == "--" {
		r.Program = r.Program[1:]
	}
	if len(r.Program) == 0 {
		return usageError("run: no program: cloneat-emu run [flags] -- PROGRAM [ARGS]")
	}
	if !r.Force && launch.CallExists() {
		if err := r.wantsMore(); err != nil {
			return startFailed(err)
		}
		return r.runNatively()
	}
	if err := launch.Answered(); err != nil {
		return startFailed(err)
	}
	cmd := emu.Command(r.Program[0], r.Program[1:]...)
	cmd.Inherit = true
	cmd.Linger, cmd.UserNS = r.Linger, r.Userns
	cmd.Prototypes = r.Prototype
	cmd.LogLevel, cmd.LogFormat = r.LogLevel, r.LogFormat
	cmd.Config = emu.Config{Engine: r.Engine, PIDDriver: r.PidDriver, BestEffort: r.BestEffort}
	tracer, err := newTracer(r.Trace)
	if err != nil {
		return startFailed(err)
	}
	defer tracer.close()
	cmd.Config.OnEvent = tracer.event
	cmd.Witness = r.witness(tracer)
	cmd.Unwatched = tracer.out == nil && !r.Stats
	if !r.Userns {
		warnMissingRights()
	}
	return r.supervise(cmd)
}

// supervise starts cmd, is its stand-in for signals and job control, and ends as it did.
func (r *runCmd) supervise(cmd *emu.Cmd) error {
	threads.Few()
	got := make(chan os.Signal, 256)
	signal.Notify(got, launch.Forwarded()...)
	cmd.OnState = func(stopped int) {
		if stopped != 0 {
			_ = launch.StopSelf(stopped)
		}
	}
	cmd.OnKilled = func() {
		fmt.Fprintln(os.Stderr, "cloneat-emu: the supervisor was killed: calls fail with ENOSYS from now on")
	}
	if err := cmd.Start(); err != nil {
		return startFailed(r.explain(err))
	}
	launch.LiftLimits()
	launch.DropInherited()
	signal.Ignore(unix.SIGPIPE) // a reader of --trace that leaves must not end the program
	go forward(cmd, got)
	err := cmd.Wait()
	if r.Stats && cmd.Witness == nil {
		printStats(os.Stderr, cmd.Stats())
	}
	return ended(err)
}

// forward sends the program what comes for it. When that has ended, what is left is to write
// the trace and the table, to somebody who may not read: who sends a signal then is not made
// to wait for that.
func forward(cmd *emu.Cmd, got <-chan os.Signal) {
	const patience = time.Second // the signal may have ended the program, too
	for sig := range got {
		_ = cmd.Relay(sig.(unix.Signal))
		if over, err := cmd.Ended(); over && slices.Contains(ending, sig) {
			time.AfterFunc(patience, func() { exit(ended(err)) })
		}
	}
}

// ending are the signals by which a person or a service manager ends a program.
var ending = []os.Signal{unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM}

// explain says what a word before "--" that is no program was meant to be.
func (r *runCmd) explain(err error) error {
	var start *emu.StartError
	if errors.As(err, &start) && r.Trace.on && r.Trace.file == "" && len(r.Program) > 1 && r.Program[1] == "--" {
		return fmt.Errorf("%w (for a file of that name: --trace=%s)", err, r.Program[0])
	}
	return err
}

// startFailed explains and gives the exit status that a shell would.
func startFailed(err error) error {
	var start *emu.StartError
	status := statusOurs
	if errors.As(err, &start) {
		switch start.Errno {
		case unix.ENOENT, unix.ENOTDIR:
			status = statusNotFound
		case unix.EACCES, unix.ENOEXEC, unix.EISDIR, unix.ELIBBAD, unix.ETXTBSY:
			status = statusNotRun
		}
	}
	fmt.Fprintf(os.Stderr, "cloneat-emu: %v\n", err)
	return exitStatus(status)
}

// ended makes this process end as the program did.
func ended(err error) error {
	var exit *emu.ExitError
	switch {
	case !errors.As(err, &exit):
		return err
	case !exit.Status.Signaled():
		return exitStatus(exit.Status.ExitStatus())
	}
	sig := int(exit.Status.Signal())
	_ = launch.DieOf(sig)
	return exitStatus(statusSignalBase + sig) // it did not kill: the next best
}
