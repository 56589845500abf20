// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/jedib0t/go-pretty/v6/table"
)

var cli struct {
	Kernel   []string `placeholder:"6.1|6.12" help:"Patched kernels to run the grid on as well."`
	Native   bool     `help:"On the kernels only."`
	Full     bool     `help:"The whole grid (minutes), not the small one of make test."`
	Emulator string   `default:"build/cloneat-emu" help:"The command."`
	Programs string   `default:"build/oracle" help:"Where .ci/oracle-build put the programs."`
	Callers  []string `sep:"none" help:"Only this caller; may be given again."`
}

func main() {
	kong.Parse(&cli, kong.Description("Is a child of cloneat what fork would have made?"))
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "oracle:", err)
		os.Exit(1)
	}
}

func run() error {
	callers := chosen(Grid(cli.Full))
	if len(callers) == 0 {
		return fmt.Errorf("no caller of the grid is named %s", strings.Join(cli.Callers, " or "))
	}
	bad := 0
	if !cli.Native {
		cells, err := Emulated(cli.Emulator, cli.Programs)(callers)
		if err != nil {
			return err
		}
		bad += show("under the emulator", cells, true)
	}
	for _, kernel := range cli.Kernel {
		cells, err := Native(kernel, cli.Programs)(callers)
		if err != nil {
			return err
		}
		bad += show("on the patched kernel "+kernel, cells, false)
	}
	if bad > 0 {
		return fmt.Errorf("%d cells with differences that nothing documents", bad)
	}
	return nil
}

func chosen(callers []Caller) (out []Caller) {
	for _, c := range callers {
		if len(cli.Callers) == 0 || slices.Contains(cli.Callers, c.Name) {
			out = append(out, c)
		}
	}
	return out
}

// show prints a table and what is wrong, and returns how many cells are.
func show(where string, cells []*Cell, emulated bool) (bad int) {
	t := table.NewWriter()
	t.SetTitle(where)
	t.AppendHeader(table.Row{"caller", "target", "keys", "by the specification", "documented", "wrong"})
	lacking := map[string]bool{}
	for _, c := range cells {
		v := Judge(c, emulated)
		if !v.OK() {
			bad++
		}
		t.AppendRow(table.Row{c.Caller, c.Target, c.Keys, v.Expected, strings.Join(v.Documented, " "), wrong(v)})
		lacking[c.Lacking] = true
	}
	fmt.Println(t.Render())
	for l := range lacking {
		if l != "" {
			fmt.Println("not to be had here (errno):" + strings.TrimSuffix(l, ","))
		}
	}
	return bad
}

func wrong(v Verdict) string {
	if v.Failed != "" {
		return v.Failed
	}
	var lines []string
	for _, d := range v.Wrong {
		lines = append(lines, fmt.Sprintf("%s\n  fork  %.300s\n  clone %.300s", d.Key, d.Fork, d.Clone))
	}
	return strings.Join(lines, "\n")
}
