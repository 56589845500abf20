// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"

	"cloneat-emu/emu/probe"
)

// warnMissingRights says before the program starts what will not work, and why.
func warnMissingRights() {
	missing := probe.Missing()
	for _, line := range missing {
		fmt.Fprintf(os.Stderr, "cloneat-emu: %s\n", line)
	}
	if len(missing) > 0 {
		fmt.Fprintln(os.Stderr, "cloneat-emu: --userns runs the program with these rights in namespaces of its own; \"cloneat-emu check\" says more")
	}
}
