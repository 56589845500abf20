// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"strconv"

	"cloneat-emu/cmd/cloneat-emu/tree"
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

// Help is shown below the usage.
func (*treeShowCmd) Help() string {
	return `Examples:
  cloneat-emu tree show 4711
  cloneat-emu tree show --svg 1 >system.svg
  cloneat-emu tree show --json --criu /var/dump | jq '.processes[].comm'`
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

// Help is shown below the usage.
func (*treeSaveCmd) Help() string {
	return `Examples:
  cloneat-emu tree save 4711 tree.json
  cloneat-emu tree save --criu /var/dump tree.json    CRIU's images as a file that tree build takes`
}

// Run saves.
func (c *treeSaveCmd) Run() error {
	if c.Criu != "" {
		if len(c.Args) != 1 {
			return usageError("tree save: --criu DIR takes one argument, FILE")
		}
		t, err := tree.FromCRIU(c.Criu)
		if err != nil {
			return err
		}
		return t.Save(c.Args[0])
	}
	if len(c.Args) != 2 {
		return usageError("tree save: two arguments are wanted, PID and FILE")
	}
	pid, err := strconv.Atoi(c.Args[0])
	if err != nil {
		return usageError(fmt.Sprintf("tree save: %q is no pid", c.Args[0]))
	}
	t, err := readTree(pid, "")
	if err != nil {
		return err
	}
	if err := t.Check(); err != nil {
		fmt.Fprintf(os.Stderr, "cloneat-emu: tree build will not take this: %v\n", err)
	}
	return t.Save(c.Args[1])
}

// readTree reads a live tree or images.
func readTree(pid int, criu string) (*tree.Tree, error) {
	switch {
	case criu != "" && pid != 0:
		return nil, usageError("tree: a pid or --criu DIR, not both")
	case criu != "":
		return tree.FromCRIU(criu)
	case pid <= 0:
		return nil, usageError("tree: the pid of the root is wanted, or --criu DIR")
	}
	return tree.Live(pid)
}
