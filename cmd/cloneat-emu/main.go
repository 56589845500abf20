// SPDX-License-Identifier: Apache-2.0

// Command cloneat-emu gives a stock Linux the system call cloneat(2): see README.md.
//
// This package is the command line, a file a subcommand; how anything works is in
// package emu and below.
package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"

	"github.com/alecthomas/kong"

	"cloneat-emu/cmd/cloneat-emu/enter"
	"cloneat-emu/emu"
	"cloneat-emu/emu/probe"
)

type cli struct {
	Run        runCmd        `cmd:"" help:"Run a program, and all that it starts, with cloneat available."`
	Check      checkCmd      `cmd:"" help:"Say what works on this kernel with these rights, and what is used instead of what does not."`
	Conform    conformCmd    `cmd:"" help:"Run the conformance suite under the emulator or natively."`
	Compare    compareCmd    `cmd:"" help:"Run the conformance suite here and on patched kernels, natively and emulated, and compare."`
	VM         vmCmd         `cmd:"" name:"vm" help:"Boot the patched kernel with a program."`
	Exec       execCmd       `cmd:"" help:"Run a command as a real child of a container's init."`
	Tree       treeCmd       `cmd:"" help:"Show, save and build trees of processes."`
	Completion completionCmd `cmd:"" help:"Print a completion script for the shell."`
	Version    versionCmd    `cmd:"" help:"Print the version."`

	VersionFlag versionFlag `name:"version" hidden:"" help:"The same: what people try first."`
}

// exitStatus is an error that says nothing more than how to exit.
type exitStatus int

func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// usageError is a command line that makes no sense, found out by the command.
type usageError string

func (e usageError) Error() string { return string(e) }

// statusUsage is the exit status of a command line that makes no sense.
const statusUsage = 2

// init keeps the main thread for main: goroutines that end with their threads, as a tracer
// does to let go, must not have it, which the Go runtime never lets end (mexit() in
// runtime/proc.go).
func init() { runtime.LockOSThread() }

func main() {
	emu.Init() // the stages of a supervised program are this executable as well
	witnessInit()
	enter.Init()
	probe.Hold()
	var c cli
	parser := kong.Must(&c,
		kong.Name("cloneat-emu"),
		kong.Description("cloneat(2) for a kernel that does not have it."),
		rawWords,
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	ctx, err := parser.Parse(os.Args[1:])
	if err == nil {
		err = refuseEmpty(ctx)
	}
	if path, ok := errors.AsType[*fs.PathError](err); ok && path.Op == "write" {
		exit(err) // of --help or --version, which are printed while the line is read
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "cloneat-emu: %v (cloneat-emu --help says more)\n", err)
		os.Exit(statusUsage)
	}
	exit(ctx.Run(parser))
}

// exit says what went wrong, and ends this process.
func exit(err error) {
	var status exitStatus
	var usage usageError
	switch {
	case err == nil:
		os.Exit(0)
	case errors.As(err, &status):
		os.Exit(int(status))
	}
	fmt.Fprintf(os.Stderr, "cloneat-emu: %v\n", err)
	if errors.As(err, &usage) {
		os.Exit(statusUsage)
	}
	os.Exit(1)
}
