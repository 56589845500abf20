// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/sys/unix"

	"cloneat-emu/cmd/cloneat-emu/tree"
	"cloneat-emu/emu/probe"
)

// treeCmd is "cloneat-emu tree".
type treeCmd struct {
	Show  treeShowCmd  `cmd:"" help:"Draw the tree below a process, or one of CRIU's images."`
	Save  treeSaveCmd  `cmd:"" help:"Write the tree below a process to a file."`
	Build treeBuildCmd `cmd:"" help:"Make the very tree of a file: exact pids, parents, groups, sessions."`
}

// treeShowCmd is "cloneat-emu tree show".
type treeShowCmd struct {
	Dot  bool   `xor:"form" help:"Source for Graphviz."`
	SVG  bool   `name:"svg" xor:"form" help:"A drawing."`
	JSON bool   `name:"json" xor:"form" help:"The form that tree save writes."`
	Criu string `placeholder:"DIR" type:"existingdir" help:"Read CRIU's images instead of /proc."`
	Pid  int    `arg:"" optional:"" help:"The root of the tree."`
}

// Run draws.
func (c *treeShowCmd) Run() error {
	t, err := readTree(c.Pid, c.Criu)
	if err != nil {
		return err
	}
	switch {
	case c.JSON:
		return t.Write(os.Stdout)
	case c.Dot:
		_, err = fmt.Print(t.Dot())
	case c.SVG:
		_, err = fmt.Print(t.SVG())
	default:
		_, err = fmt.Print(t.Text())
	}
	return err
}

// treeSaveCmd is "cloneat-emu tree save".
type treeSaveCmd struct {
	Criu string   `placeholder:"DIR" type:"existingdir" help:"Read CRIU's images instead of /proc; then FILE is the only argument."`
	Args []string `arg:"" name:"PID FILE" help:"The root of the tree, and where to write."`
}

// Run saves.
func (c *treeSaveCmd) Run() error {
	if c.Criu != "" {
		if len(c.Args) != 1 {
			return errors.New("tree save: --criu DIR takes one argument, FILE")
		}
		t, err := tree.FromCRIU(c.Criu)
		if err != nil {
			return err
		}
		return t.Save(c.Args[0])
	}
	if len(c.Args) != 2 {
		return errors.New("tree save: two arguments are wanted, PID and FILE")
	}
	pid, err := strconv.Atoi(c.Args[0])
	if err != nil {
		return fmt.Errorf("tree save: %q is no pid", c.Args[0])
	}
	t, err := readTree(pid, "")
	if err != nil {
		return err
	}
	return t.Save(c.Args[1])
}

// readTree reads a live tree or images.
func readTree(pid int, criu string) (*tree.Tree, error) {
	switch {
	case criu != "" && pid != 0:
		return nil, errors.New("tree: a pid or --criu DIR, not both")
	case criu != "":
		return tree.FromCRIU(criu)
	case pid <= 0:
		return nil, errors.New("tree: the pid of the root is wanted, or --criu DIR")
	}
	return tree.Live(pid)
}

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
  cloneat-emu tree build --criu /var/dump --in here --payload 'exec sleep 100'`
}

// Run builds the tree, and takes it down at the end. Where there is no cloneat,
// it runs itself again under "run".
func (c *treeBuildCmd) Run() error {
	if !c.Fork && !probe.CallExists() {
		return underRun()
	}
	t, err := c.read()
	if err != nil {
		return err
	}
	o := &tree.Options{In: c.In, Payload: c.Payload, Outside: c.Outside, Light: c.Light, Fork: c.Fork}
	if c.Callers == "parents" || c.Fork {
		o.Callers = tree.ParentsCall
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	done := buildProgress(o)
	built, err := tree.Build(t, o)
	done()
	if err != nil {
		return err
	}
	defer built.Close()
	return c.stand(built, stop)
}

// read reads what to build. With --criu the first argument is not a file.
func (c *treeBuildCmd) read() (*tree.Tree, error) {
	if c.Criu != "" {
		if c.File != "" && c.File != "--" {
			c.Command = append([]string{c.File}, c.Command...)
		}
		return tree.FromCRIU(c.Criu)
	}
	if c.File == "" {
		return nil, errors.New("tree build: FILE is wanted, or --criu DIR")
	}
	return tree.Load(c.File)
}

// stand reports the tree and lets it stand as long as it is wanted.
func (c *treeBuildCmd) stand(built *tree.Built, stop <-chan os.Signal) error {
	if !c.Quiet {
		fmt.Print(built.Tree.Text())
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
	cmd := exec.Command(c.Command[0], c.Command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), "TREE_ROOT="+strconv.Itoa(append(root.HostPIDs, root.PID)[0]))
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exitStatus(exit.ExitCode())
	}
	return err
}

// underRun becomes "cloneat-emu run" of this very command.
func underRun() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	args := append([]string{os.Args[0], "run", "--", self}, os.Args[1:]...)
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
