// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// vmCmd is "cloneat-emu vm".
type vmCmd struct {
	Kernel  string   `default:"6.1" placeholder:"6.1|6.12|PATH" help:"The patched kernel: a version (built if need be) or an image."`
	Uml     bool     `help:"As a process of this machine (user-mode Linux) instead of in QEMU."`
	Console string   `type:"path" placeholder:"FILE" help:"Keep what the kernel said in this file."`
	Program []string `arg:"" passthrough:"partial" help:"The program and its arguments, after --."`
}

// Run boots the kernel with the program and ends with the program's exit status.
func (v *vmCmd) Run() error {
	if v.Program[0] == "--" {
		v.Program = v.Program[1:]
	}
	if len(v.Program) == 0 {
		return usageError("vm: no program: cloneat-emu vm [flags] -- PROGRAM [ARGS]")
	}
	if err := checkKernel(v.Kernel); err != nil {
		if _, usage := errors.AsType[usageError](err); usage {
			return err
		}
		return exited(err)
	}
	machine := machine{Kernel: v.Kernel, UML: v.Uml, Console: v.Console}
	cmd, err := machine.command(v.Program...)
	if err != nil {
		return exited(err)
	}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return exited(runMachine(cmd))
}

// runMachine runs a boot script, and ends the machine with it if we are interrupted:
// timeout(1) and QEMU are in a process group of their own, where Ctrl-C does not reach.
func runMachine(cmd *exec.Cmd) error {
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM)
	defer stop()
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan struct{})
	defer context.AfterFunc(ctx, func() { endUntil(cmd.Process.Pid, done) })()
	err := cmd.Wait()
	close(done)
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %w", errEnded, context.Cause(ctx))
	}
	return err
}

// errEnded is of a machine that somebody interrupted.
var errEnded = errors.New("the machine was ended")

// endUntil ends a tree of processes again and again: a shell may start its next command
// before it heeds the signal.
func endUntil(pid int, done <-chan struct{}) {
	for {
		endTree(pid)
		select {
		case <-done:
			return
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// endTree terminates a process and what is below it, the lowest first.
func endTree(pid int) {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		data, _ := os.ReadFile(list)
		for _, word := range strings.Fields(string(data)) {
			if child, err := strconv.Atoi(word); err == nil {
				endTree(child)
			}
		}
	}
	_ = unix.Kill(pid, unix.SIGTERM)
}

// exited turns an error of os/exec into an exit status: the boot script's is the program's.
func exited(err error) error {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &exit) && exit.ExitCode() >= 0:
		return exitStatus(exit.ExitCode())
	}
	fmt.Fprintf(os.Stderr, "cloneat-emu: vm: %v\n", err)
	return exitStatus(statusOurs)
}

// machine is a virtual one, or UML, that kernel/boot.sh boots.
type machine struct {
	Kernel  string
	UML     bool
	Console string
	Add     []string // SRC:DST, packed along
	Timeout time.Duration
}

// command is the command line that boots it with a program.
func (m machine) command(program ...string) (*exec.Cmd, error) {
	boot, err := bootScript()
	if err != nil {
		return nil, err
	}
	args := []string{"--kernel", m.Kernel}
	if m.UML {
		args = append(args, "--uml")
	}
	if m.Console != "" {
		args = append(args, "--console", m.Console)
	}
	if m.Timeout > 0 {
		args = append(args, "--timeout", fmt.Sprint(int(m.Timeout.Seconds())))
	}
	for _, a := range m.Add {
		args = append(args, "--add", a)
	}
	args = append(append(args, "--"), program...)
	return exec.Command(boot, args...), nil
}

// checkKernel refuses what is neither an image nor a version that there are patches for.
func checkKernel(kernel string) error {
	if info, err := os.Stat(kernel); err == nil && info.Mode().IsRegular() {
		return nil
	}
	unknown := usageError(fmt.Sprintf("--kernel %q: no such image, and no patches for such a version", kernel))
	if kernel == "" || strings.Contains(kernel, "/") {
		return unknown
	}
	boot, err := bootScript()
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(boot), "patches", kernel)); err != nil {
		return unknown
	}
	return nil
}

// bootScript finds kernel/boot.sh, which comes with the sources: from the working
// directory upwards, or beside build/, where this executable was built.
func bootScript() (string, error) {
	for _, start := range startingPoints() {
		for dir := start; ; dir = filepath.Dir(dir) {
			script := filepath.Join(dir, "kernel", "boot.sh")
			if info, err := os.Stat(script); err == nil && info.Mode().IsRegular() {
				return script, nil
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	return "", fmt.Errorf("kernel/boot.sh not found: run this in a checkout of the sources, which build and boot the patched kernel")
}

func startingPoints() (dirs []string) {
	if dir, err := os.Getwd(); err == nil {
		dirs = append(dirs, dir)
	}
	if exe, err := os.Executable(); err == nil {
		dirs = append(dirs, filepath.Dir(exe))
	}
	return dirs
}
