// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"cloneat-emu/cmd/cloneat-emu/enter"
	"cloneat-emu/emu/launch"
	"cloneat-emu/emu/proc"
)

// execCmd is "cloneat-emu exec".
type execCmd struct {
	Admin       bool     `help:"For a container that we are no ancestor of: takes the rights of nsenter and no cloneat."`
	Cgroup      string   `enum:"caller,target" default:"caller" help:"Whose cgroups the command is in (${enum})."`
	Userns      string   `enum:"caller,target" default:"caller" help:"Whose user namespace the command is in (${enum}); target takes --admin."`
	User        string   `placeholder:"USER[:GROUP]" help:"Run as a user of the container, by name or number."`
	CapDrop     []string `placeholder:"CAP" help:"Take away a capability for good, or ALL."`
	Workdir     string   `placeholder:"DIR" help:"Directory in the container (default: the target's)."`
	Env         []string `sep:"none" placeholder:"NAME[=VALUE]" help:"Set a variable, or take over the caller's."`
	Pid         *int     `placeholder:"N" help:"The exact pid that the command is to have in the container."`
	TTY         bool     `name:"tty" short:"t" help:"Give the command a terminal of the container's."`
	Interactive bool     `short:"i" help:"Pass standard input on to that terminal."`
	KeepFd      []int    `placeholder:"N" help:"Hand down descriptor N besides 0, 1 and 2."`
	Target      string   `arg:"" help:"A pid, podman:NAME, docker:NAME, runc:ID or lxc:NAME."`
	Command     []string `arg:"" passthrough:"partial" help:"The command and its arguments, after --."`
}

// Help is shown below the usage.
func (*execCmd) Help() string {
	return `Examples:
  cloneat-emu exec --admin podman:web -- ps -ef       the ps is a child of the container's init
  cloneat-emu exec --admin -it runc:box -- sh         a shell on a terminal
  cloneat-emu exec --admin --pid 77 --user daemon 4711 -- id
  cloneat-emu run -- sh -c 'unshare -pf --mount-proc sleep 99 & sleep 1;
    exec cloneat-emu exec $(pgrep -P $!) -- ps -ef'   without --admin, by the call itself`
}

// Run runs the command and becomes its exit status.
func (c *execCmd) Run() error {
	if len(c.Command) > 0 && c.Command[0] == "--" {
		c.Command = c.Command[1:]
	}
	if err := c.check(); err != nil {
		return err
	}
	if !c.Admin && !launch.CallExists() {
		fmt.Fprintln(os.Stderr, "cloneat-emu: exec: there is no cloneat here: run the whole under cloneat-emu run, or use --admin")
		return exitStatus(enter.StatusFailed)
	}
	status, err := c.enter()
	var e *enter.ExecError
	if errors.As(err, &e) {
		status = e.Status()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "cloneat-emu: exec:", err)
	}
	return exitStatus(status)
}

// check refuses command lines that make no sense.
func (c *execCmd) check() error {
	switch {
	case len(c.Command) == 0:
		return usageError("exec: no command: cloneat-emu exec [flags] TARGET -- COMMAND [ARGS]")
	case c.Pid != nil && (*c.Pid <= 0 || *c.Pid >= proc.PIDLimit): // the kernel would look at 32 bits of it
		return usageError(fmt.Sprintf("exec: --pid %d: a pid is positive, and below %d", *c.Pid, proc.PIDLimit))
	case c.Userns == "target" && !c.Admin:
		return usageError("exec: --userns target takes --admin: a child that cloneat makes has its caller's")
	}
	for _, e := range c.Env {
		if name, _, _ := strings.Cut(e, "="); name == "" {
			return usageError(fmt.Sprintf("exec: --env %q: no name", e))
		}
	}
	return nil
}

// enter runs the command the one way or the other.
func (c *execCmd) enter() (int, error) {
	pid, err := enter.Resolve(c.Target)
	if err != nil {
		return enter.StatusFailed, err
	}
	t, err := enter.Open(pid)
	if err != nil {
		return enter.StatusFailed, err
	}
	defer func() { _ = t.Close() }()
	o := enter.Options{
		Command: c.Command, TargetCgroup: c.Cgroup == "target", TargetUserNS: c.Userns == "target",
		User: c.User, CapDrop: c.CapDrop, Workdir: c.Workdir, Env: c.Env,
		TTY: c.TTY, Interactive: c.Interactive, Keep: c.KeepFd,
	}
	if c.Pid != nil {
		o.Hint = *c.Pid
	}
	if c.Admin {
		return enter.Admin(&o, t)
	}
	return enter.StatusFailed, enter.Call(&o, t)
}
