// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/alecthomas/kong"
)

// releaseVersion is the version of what was made by make dist or make deb, which set it.
var releaseVersion string

// versionCmd prints what was built.
type versionCmd struct{}

// versionFlag is the command as a flag.
type versionFlag bool

// BeforeReset does it before anything is missed on the command line.
func (versionFlag) BeforeReset(k *kong.Kong) error {
	err := versionCmd{}.Run()
	if err == nil {
		k.Exit(0)
	}
	return err
}

// Help is shown below the usage.
func (versionCmd) Help() string {
	return `Examples:
  cloneat-emu version`
}

// Run prints one line: the release's or the module's version, the commit where Go recorded one, and Go's.
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
	if releaseVersion != "" {
		version, revision = releaseVersion, ""
	}
	_, err := fmt.Printf("cloneat-emu %s%s %s linux/%s\n", version, revision, runtime.Version(), runtime.GOARCH)
	return err
}
