// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"cloneat-emu/emu"
	"cloneat-emu/emu/launch"
	"cloneat-emu/emu/probe"
)

// checkCmd is "cloneat-emu check".
type checkCmd struct {
	JSON bool `name:"json" help:"Print the results as JSON."`
}

// Run probes and reports. Without a listener, or a right to trace, nothing works, which is exit status 1,
// nor without what the supervisor needs for itself.
func (c *checkCmd) Run() error {
	results := probe.All()
	if c.JSON {
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", "  ")
		if err := out.Encode(results); err != nil {
			return err
		}
	} else if err := printChecks(os.Stdout, results); err != nil {
		return err
	}
	if launch.CallExists() {
		return nil
	}
	if err := emu.Ready(); err != nil {
		return err
	}
	for _, r := range results {
		switch r.Feature {
		case "seccomp listener", "PTRACE_SEIZE":
			if r.Works != probe.Yes {
				return exitStatus(1)
			}
		}
	}
	return nil
}

// printChecks prints a table; what replaces a feature is of interest where it is missing.
func printChecks(w io.Writer, results []probe.Result) error {
	var out bytes.Buffer
	t := newTable(&out, "feature", "works", "found", "needed for", "used instead")
	for _, r := range results {
		instead := r.Instead
		if r.Works == probe.Yes {
			instead = ""
		}
		t.AppendRow(table.Row{r.Feature, r.Works, r.Detail, r.For, instead})
	}
	t.SetColumnConfigs([]table.ColumnConfig{
		{Number: 3, WidthMax: 34, WidthMaxEnforcer: text.WrapSoft},
		{Number: 4, WidthMax: 34, WidthMaxEnforcer: text.WrapSoft},
		{Number: 5, WidthMax: 34, WidthMaxEnforcer: text.WrapSoft},
	})
	t.Render()
	_, err := w.Write(out.Bytes())
	return err
}
