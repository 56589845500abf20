// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/sys/unix"

	"cloneat-emu/cmd/cloneat-emu/tree"
	"cloneat-emu/emu/launch"
	"cloneat-emu/emu/proc"
	"cloneat-emu/internal/lookup"
)

// treeBuildCmd is "cloneat-emu tree build".
type treeBuildCmd struct {
	In      string   `default:"new" placeholder:"new|PID|here" help:"A new pid namespace, that of a process, or this one."`
	Payload string   `placeholder:"CMD" help:"A shell command for every member to become (default: they idle and answer signals)."`
	Criu    string   `placeholder:"DIR" type:"existingdir" help:"Build what CRIU's images say; then there is no FILE."`
	Callers string   `enum:"creator,parents" default:"creator" help:"Who makes the calls: one creator wherever sessions allow it, or every parent (${enum})."`
	Outside bool     `help:"Make a tree whose root is pid 1 from outside of its new namespace."`
	Light   bool     `help:"All members share one memory, so that none has to be copied."`
	Fork    bool     `help:"Every parent forks by clone3(2) instead: no cloneat needed; for comparison."`
	Strict  bool     `help:"Fail if anything could not be had."`
	Quiet   bool     `short:"q" help:"Do not draw the tree."`
	File    string   `arg:"" optional:"" help:"What tree save wrote."`
	Command []string `arg:"" optional:"" passthrough:"partial" help:"Run a command while the tree stands; its root's pid is in TREE_ROOT. Without, it stands until SIGINT or SIGTERM."`
}

// Help is shown below the usage.
func (*treeBuildCmd) Help() string {
	return `Examples:
  cloneat-emu tree save 4711 tree.json
  cloneat-emu tree build tree.json                    it stands until ^C
  cloneat-emu tree build tree.json -- sh -c 'ps --ppid $TREE_ROOT'
  cloneat-emu tree build --criu /var/dump --in here --payload 'exec sleep 100'
  cloneat-emu run --userns -- cloneat-emu tree build tree.json      without root`
}

// Run builds the tree, and takes it down at the end. Where there is no cloneat,
// it runs itself again under "run".
func (c *treeBuildCmd) Run() error {
	if err := c.check(); err != nil {
		return err
	}
	if !c.Fork && !launch.CallExists() {
		return underRun()
	}
	t, err := c.read()
	if err != nil {
		return err
	}
	o := &tree.Options{In: c.In, Payload: c.Payload, Outside: c.Outside, Light: c.Light, Fork: c.Fork, Brief: c.Quiet}
	if c.Callers == "parents" || c.Fork {
		o.Callers = tree.ParentsCall
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGHUP)
	o.Stop = stop
	done := buildProgress(o)
	built, err := tree.Build(t, o)
	done()
	if stopped, ok := errors.AsType[*tree.StoppedError](err); ok {
		fmt.Fprintln(os.Stderr, "cloneat-emu:", err)
		return exitStatus(128 + int(stopped.Signal.(unix.Signal)))
	}
	if errors.Is(err, unix.EPERM) && os.Geteuid() != 0 {
		return fmt.Errorf("%w; without privilege put in front of it: cloneat-emu run --userns --", err)
	}
	if err != nil {
		return err
	}
	defer built.Close()
	return c.stand(built, stop)
}

// check refuses command lines that make no sense with any tree.
func (c *treeBuildCmd) check() error {
	pid, err := strconv.Atoi(c.In)
	switch {
	case c.In != "new" && c.In != "here" && (err != nil || pid <= 0):
		return usageError(fmt.Sprintf("tree build: --in %q is none of new, here and a pid", c.In))
	case c.Outside && c.In != "new":
		return usageError("tree build: --outside is for a new pid namespace")
	case c.File == "" && c.Criu == "":
		return usageError("tree build: FILE is wanted, or --criu DIR")
	}
	return nil
}

// read reads what to build. With --criu the first argument is not a file.
func (c *treeBuildCmd) read() (*tree.Tree, error) {
	if c.Criu != "" {
		if c.File != "" && c.File != "--" {
			c.Command = append([]string{c.File}, c.Command...)
		}
		return tree.FromCRIU(c.Criu)
	}
	return tree.Load(c.File)
}

// stand reports the tree and lets it stand as long as it is wanted.
func (c *treeBuildCmd) stand(built *tree.Built, stop <-chan os.Signal) error {
	if !c.Quiet {
		if _, err := fmt.Print(built.Tree.Text()); err != nil {
			return err
		}
	}
	for _, n := range built.Notes {
		fmt.Fprintln(os.Stderr, "cloneat-emu: tree: could not be had:", n)
	}
	if c.Strict && len(built.Notes) > 0 {
		return exitStatus(1)
	}
	if len(c.Command) > 0 && c.Command[0] == "--" {
		c.Command = c.Command[1:]
	}
	if len(c.Command) == 0 {
		<-stop
		return nil
	}
	root := built.Tree.Root()
	path, err := lookup.Program(c.Command[0])
	cmd := exec.Command(path, c.Command[1:]...)
	cmd.Args[0], cmd.Err = c.Command[0], err
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), "TREE_ROOT="+strconv.Itoa(append(root.HostPIDs, root.PID)[0]))
	return runWhileStanding(cmd, stop)
}

// runWhileStanding runs the command and becomes its exit status, as a shell has
// it. What we are told to end by is handed on; the keys reach the command by
// themselves.
func runWhileStanding(cmd *exec.Cmd, stop <-chan os.Signal) error {
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "cloneat-emu: tree:", err)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, exec.ErrNotFound) {
			return exitStatus(127)
		}
		return exitStatus(126)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // its state says all
		close(ended)
	}()
	for {
		select {
		case <-ended:
			ws := cmd.ProcessState.Sys().(syscall.WaitStatus)
			if ws.Signaled() {
				return exitStatus(128 + int(ws.Signal()))
			}
			return exitStatus(ws.ExitStatus())
		case sig := <-stop:
			if sig != unix.SIGINT && sig != unix.SIGQUIT {
				_ = cmd.Process.Signal(sig) // it may have ended: that is told above
			}
		}
	}
}

// underRun becomes "cloneat-emu run" of this very command.
func underRun() error {
	if err := proc.Own(); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	// A call that cannot be served is rare; the cause belongs beside our message.
	args := append([]string{os.Args[0], "run", "--log-level=warn", "--", self}, os.Args[1:]...)
	return fmt.Errorf("exec %s: %w", self, unix.Exec(self, args, os.Environ()))
}

// buildProgress lets a bar show how far a long build is, on a terminal. The function
// that it returns takes it away.
func buildProgress(o *tree.Options) func() {
	if _, err := unix.IoctlGetTermios(int(os.Stderr.Fd()), unix.TCGETS); err != nil {
		return func() {}
	}
	p := mpb.New(mpb.WithOutput(os.Stderr))
	var bar *mpb.Bar
	o.Progress = func(done, total int) {
		if bar == nil {
			bar = p.AddBar(int64(total), mpb.BarRemoveOnComplete(),
				mpb.PrependDecorators(decor.Name("steps "), decor.CountersNoUnit("%d/%d")),
				mpb.AppendDecorators(decor.Percentage()))
		}
		bar.SetCurrent(int64(done))
	}
	return func() {
		if bar != nil {
			bar.Abort(true)
		}
		p.Wait()
	}
}
