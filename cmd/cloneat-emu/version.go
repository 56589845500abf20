package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// versionCmd prints what was built.
type versionCmd struct{}

// Run prints one line: the module's version, the commit where Go recorded one, and Go's.
func (versionCmd) Run() error {
	version, revision := "(devel)", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		if info.Main.Version != "" {
			version = info.Main.Version
		}
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = " " + s.Value[:min(len(s.Value), 12)]
			}
		}
	}
	fmt.Printf("cloneat-emu %s%s %s linux/%s\n", version, revision, runtime.Version(), runtime.GOARCH)
	return nil
}
